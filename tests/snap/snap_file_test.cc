#include "truss/snap/snap_file.h"

#include <doctest/doctest.h>

#include "truss/common/coding.h"
#include "truss/common/crc32c.h"
#include "truss/raft/codec.h"

using namespace truss;
using namespace truss::snap;

namespace {

raft::Snapshot snapshot() {
  raft::Snapshot out;
  out.data = SharedBytes::copy(R"({"Root":{}})");
  out.metadata = {{.voters = {raft::NodeId(5)}}, raft::Index(201), raft::Term(2)};
  return out;
}

std::string envelope(std::uint64_t crc, ByteView data) {
  std::string out;
  PbWriter w(out);
  w.put_varint(1, crc);
  w.put_bytes(2, data);
  return out;
}

}  // namespace

TEST_CASE("names: term first, then index") {
  const raft::SnapshotMark mark{raft::Index(0xc9), raft::Term(2)};
  CHECK(snap_file_name(mark) == "0000000000000002-00000000000000c9.snap");
  CHECK(parse_snap_file_name(snap_file_name(mark)) == mark);
  for (const char* other : {"db", "0000000000000002-00000000000000c9.snap.broken", "2-c9.snap",
                            "0000000000000002_00000000000000c9.snap", ""}) {
    CHECK_MESSAGE(!parse_snap_file_name(other).has_value(), other);
  }
  CHECK(snap_db_file_name(raft::Index(0xca)) == "00000000000000ca.snap.db");
  CHECK(parse_snap_db_file_name("00000000000000ca.snap.db") == raft::Index(0xca));
  CHECK_FALSE(parse_snap_db_file_name("ca.snap.db").has_value());
}

TEST_CASE("a file comes back equal") {
  CHECK(decode_snap_file(encode_snap_file(snapshot())).value() == snapshot());
}

TEST_CASE("bad files are refused") {
  const std::string data = raft::encoded(snapshot());
  const auto refused = [](const std::string& bytes) {
    const auto result = decode_snap_file(bytes);
    return !result && result.error().code == Code::kCorruption;
  };
  CHECK(refused(""));
  CHECK(refused("\x08"));
  CHECK(refused(envelope(0, data)));
  CHECK(refused(envelope(crc32c(data), "")));
  CHECK(refused(envelope(crc32c(data) + 1, data)));
  const std::string not_a_snapshot = "\x12\x05zz";
  CHECK(refused(envelope(crc32c(not_a_snapshot), not_a_snapshot)));
}

TEST_CASE("no truncation and no flipped bit is taken for a snapshot") {
  const std::string bytes = encode_snap_file(snapshot());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_snap_file(bytes.substr(0, size)).has_value());
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto result = decode_snap_file(flipped);
    if (result) CHECK(*result == snapshot());
  }
}
