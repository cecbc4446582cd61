#include <cstdint>
#include <cstdlib>
#include <string>

#include "truss/schema/key_value.h"
#include "truss/schema/membership.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"

// The first byte picks a decoder. What decodes must encode, and decode again to the same value.
using namespace truss;
using namespace truss::schema;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

template <class Decode, class Encode>
void round_trip(ByteView bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  if (!value) return;
  const std::string encoded = encode(*value);
  const auto again = decode(encoded);
  expect(again.has_value() && *again == *value);
}

void key_value(ByteView bytes) {
  const auto kv = decode_key_value(bytes);
  if (!kv) return;
  const SharedBytes encoded = encode_key_value(*kv);
  expect(encoded.size() == key_value_size(*kv));
  expect(decode_key_value(encoded.view()).value() == *kv);
}

void revision(ByteView bytes) {
  const auto decoded = decode_revision(bytes);
  if (!decoded) return;
  expect(RevisionKey(decoded->revision, decoded->tombstone).view() == bytes);
}

void member_id(ByteView bytes) {
  const auto id = parse_member_key(bytes);
  if (id) expect(parse_member_key(member_key(*id)).value() == *id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0:
      key_value(bytes);
      break;
    case 1:
      revision(bytes);
      break;
    case 2:
      round_trip(bytes, decode_lease, encode_lease);
      break;
    case 3:
      round_trip(bytes, decode_alarm, encode_alarm);
      break;
    case 4:
      round_trip(bytes, decode_conf_state, encode_conf_state);
      break;
    case 5:
      round_trip(bytes, decode_member, encode_member);
      break;
    case 6:
      round_trip(bytes, decode_downgrade, encode_downgrade);
      break;
    default:
      member_id(bytes);
      break;
  }
  return 0;
}
