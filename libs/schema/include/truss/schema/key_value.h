#pragma once

#include <cstdint>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::schema {

/// mvccpb.KeyValue whose key and value somebody else owns. Also what goes on the wire: a record of
/// bucket `key` may be spliced into a RangeResponse as it is.
struct KeyValueView {
  ByteView key{};
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
  ByteView value{};
  std::int64_t lease = 0;

  friend bool operator==(const KeyValueView&, const KeyValueView&) = default;
};

/// mvccpb.KeyValue that owns its bytes.
struct KeyValue {
  std::string key;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
  std::string value;
  std::int64_t lease = 0;

  KeyValue() = default;
  explicit KeyValue(const KeyValueView& v)
      : key(v.key),
        create_revision(v.create_revision),
        mod_revision(v.mod_revision),
        version(v.version),
        value(v.value),
        lease(v.lease) {}
  KeyValueView view() const { return {key, create_revision, mod_revision, version, value, lease}; }
  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

/// Bytes that write_key_value will write.
std::size_t key_value_size(const KeyValueView& kv);
/// Writes the canonical form (fields ascending, zeros omitted, minimal varints) at `out`, which has
/// room for key_value_size(kv); returns one past the last byte. HashKV depends on this form.
char* write_key_value(char* out, const KeyValueView& kv);
/// The canonical form as shared bytes.
SharedBytes encode_key_value(const KeyValueView& kv);

/// Views into `bytes`. An empty input is the empty KeyValue (a restore with bumped revision leaves
/// one such record). Unknown fields are skipped. Errors: kCorruption.
Result<KeyValueView> decode_key_value(ByteView bytes);

}  // namespace truss::schema
