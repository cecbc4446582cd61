#pragma once

#include <cstdint>

#include "truss/common/coding.h"

namespace truss {

/// A PbReader that insists on etcd's wire types and reports damage to the message around it.
/// Nesting is bounded by kMaxDepth.
class FieldReader {
 public:
  static constexpr int kMaxDepth = 100;

  explicit FieldReader(ByteView bytes) : in_(bytes) {}
  /// Reads a message nested in `outer`, which turns bad with it.
  FieldReader(ByteView bytes, FieldReader& outer)
      : in_(bytes), outer_(&outer), depth_(outer.depth_ + 1) {
    if (depth_ > kMaxDepth) in_.mark_bad();
  }
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;
  ~FieldReader() {
    if (outer_ != nullptr && !ok()) outer_->in_.mark_bad();
  }

  bool next() { return in_.ok() && in_.next(); }
  bool ok() const { return in_.ok(); }
  std::uint32_t field() const { return in_.field(); }
  std::uint64_t uint64() {
    if (in_.type() != WireType::kVarint) in_.mark_bad();
    return in_.ok() ? in_.varint() : 0;
  }
  std::int64_t int64() { return static_cast<std::int64_t>(uint64()); }
  std::int32_t int32() { return static_cast<std::int32_t>(uint64()); }
  bool flag() { return uint64() != 0; }
  ByteView bytes() { return in_.bytes(); }

 private:
  PbReader in_;
  FieldReader* outer_ = nullptr;
  int depth_ = 0;
};

}  // namespace truss
