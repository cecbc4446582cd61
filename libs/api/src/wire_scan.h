#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/coding.h"
#include "truss/common/error.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
}  // namespace google::protobuf

namespace truss::api {

/// Strict reader of one message type's encoding. libprotobuf keeps a field of a wrong wire type as
/// unknown; etcd's decoder refuses it, so every request is scanned before it is parsed.
///
/// Thread: any, once built.
class WireSchema {
 public:
  /// Nesting beyond this many messages is refused (libprotobuf stops at 100, and the log entry
  /// wraps one more).
  static constexpr int kMaxDepth = 96;

  /// Checks `bytes`. True: canonical, that is byte for byte what etcd's encoder would write
  /// (ascending known fields, no repeats, no defaults, minimal varints), so it may go into the log
  /// as it is. False: well formed, but to be decoded and encoded again.
  /// Errors: kInternal with the decoder's text, e.g. `proto: wrong wireType = 2 for field Lease`.
  Result<bool> scan(ByteView bytes) const { return scan(bytes, 0); }

 private:
  friend class WireSchemas;
  enum class Value : std::uint8_t { kInt, kInt32, kBool, kUint32, kBytes, kUtf8, kMessage };
  struct Field {
    Value value = Value::kInt;
    WireType wire = WireType::kVarint;
    bool known = false;
    bool repeated = false;
    bool presence = false;  // a default value is written too
    int oneof = -1;
    const WireSchema* child = nullptr;
    std::string go_name;
  };
  class Scan;

  Result<bool> scan(ByteView bytes, int depth) const;
  const Field* field(std::uint32_t number) const;

  std::string name_;
  std::vector<Field> fields_;  // by number, small and dense but for Compare.range_end = 64
};

/// The schemas of a set of message types and of all they hold.
class WireSchemas {
 public:
  /// The schema of `type`; lives as long as this object. Not thread-safe: build all at start.
  const WireSchema& of(const google::protobuf::Descriptor* type);

 private:
  WireSchema::Field make_field(const google::protobuf::FieldDescriptor& f);
  std::map<const google::protobuf::Descriptor*, std::unique_ptr<WireSchema>> schemas_;
};

}  // namespace truss::api
