#include <cstdint>

#include "truss/common/check.h"
#include "truss/common/coding.h"
#include "truss/common/crc32c.h"
#include "truss/raft/codec.h"
#include "truss/snap/snap_file.h"
#include "truss/snap/v2_store.h"

// Any bytes as a .snap file, as the raftpb.Snapshot inside a sound envelope, and as the document
// inside that: only an exact checksum is accepted, and what is accepted comes back equal.

using namespace truss;
using namespace truss::snap;

namespace {

void check_document(ByteView json) {
  const auto membership = parse_v2_store(json);
  if (!membership) return;
  const auto once = parse_v2_store(write_v2_store(*membership));
  TRUSS_CHECK(once.has_value());
  TRUSS_CHECK(once->removed == membership->removed);
  TRUSS_CHECK(once->members.size() == membership->members.size());
  // Invalid UTF-8 becomes U+FFFD the first time; after that nothing changes any more.
  TRUSS_CHECK(parse_v2_store(write_v2_store(*once)).value() == *once);
}

void check_file(ByteView bytes) {
  const auto snapshot = decode_snap_file(bytes);
  if (!snapshot) return;
  TRUSS_CHECK(decode_snap_file(encode_snap_file(*snapshot)).value() == *snapshot);
  check_document(snapshot->data.view());
}

std::string in_envelope(ByteView data) {
  std::string out;
  PbWriter w(out);
  w.put_varint(1, crc32c(data));
  w.put_bytes(2, data);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  check_file(bytes);
  check_file(in_envelope(bytes));
  check_document(bytes);
  return 0;
}
