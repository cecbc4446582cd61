#include "truss/schema/key_value.h"

#include <cstring>

#include "truss/common/coding.h"

namespace truss::schema {
namespace {

std::size_t bytes_field_size(ByteView v) {
  return v.empty() ? 0 : 1 + varint_size(v.size()) + v.size();
}
std::size_t number_field_size(std::int64_t v) {
  return v == 0 ? 0 : 1 + varint_size(static_cast<std::uint64_t>(v));
}

char* write_bytes_field(char* out, int field, ByteView v) {
  if (v.empty()) return out;
  *out++ = static_cast<char>(field << 3 | 2);
  out = write_varint(out, v.size());
  if (!v.empty()) std::memcpy(out, v.data(), v.size());
  return out + v.size();
}
char* write_number_field(char* out, int field, std::int64_t v) {
  if (v == 0) return out;
  *out++ = static_cast<char>(field << 3);
  return write_varint(out, static_cast<std::uint64_t>(v));
}

}  // namespace

std::size_t key_value_size(const KeyValueView& kv) {
  return bytes_field_size(kv.key) + number_field_size(kv.create_revision) +
         number_field_size(kv.mod_revision) + number_field_size(kv.version) +
         bytes_field_size(kv.value) + number_field_size(kv.lease);
}

char* write_key_value(char* out, const KeyValueView& kv) {
  out = write_bytes_field(out, 1, kv.key);
  out = write_number_field(out, 2, kv.create_revision);
  out = write_number_field(out, 3, kv.mod_revision);
  out = write_number_field(out, 4, kv.version);
  out = write_bytes_field(out, 5, kv.value);
  return write_number_field(out, 6, kv.lease);
}

SharedBytes encode_key_value(const KeyValueView& kv) {
  return SharedBytes::build(key_value_size(kv), [&](char* out) { write_key_value(out, kv); });
}

Result<KeyValueView> decode_key_value(ByteView bytes) {
  KeyValueView kv;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        kv.key = in.bytes();
        break;
      case 2:
        kv.create_revision = static_cast<std::int64_t>(in.varint());
        break;
      case 3:
        kv.mod_revision = static_cast<std::int64_t>(in.varint());
        break;
      case 4:
        kv.version = static_cast<std::int64_t>(in.varint());
        break;
      case 5:
        kv.value = in.bytes();
        break;
      case 6:
        kv.lease = static_cast<std::int64_t>(in.varint());
        break;
      default:
        break;
    }
  }
  if (!in.ok())
    return fail(Code::kCorruption, "malformed KeyValue of " + std::to_string(bytes.size()) +
                                       " bytes, starting " + to_hex(bytes.substr(0, 32)));
  return kv;
}

}  // namespace truss::schema
