#include "truss/wal/record.h"

#include <doctest/doctest.h>

#include "frame_buffer.h"
#include "truss/common/coding.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/raft/codec.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::wal;
using test_support::from_hex;

namespace {

/// What the buffer writes into a new file.
std::string written(FrameBuffer& frames) {
  testing::SimFileSystem fs;
  const auto file = fs.open("/f", {.write = true, .create = true}).value();
  REQUIRE(frames.write_to(*file, 0).has_value());
  return read_file(fs, "/f").value();
}

raft::Entry typed_entry(std::uint64_t term, std::uint64_t index, ByteView data,
                        raft::EntryType type) {
  return {raft::Term(term), raft::Index(index), type, SharedBytes::copy(data)};
}

}  // namespace

TEST_CASE("the first records of a log have the bytes of a real one") {
  FrameBuffer frames;
  frames.add_crc();
  frames.add(RecordType::kMetadata,
             encode_identity({raft::NodeId(0xd906e0ff60cc6fb6), 0x47c1bde17c5aa47f}));
  CHECK(frames.crc() == 0x5084ef43);
  frames.add(RecordType::kSnapshot, encode_snapshot_record({}));
  CHECK(frames.crc() == 0x4da918aa);
  const std::string change =
      from_hex("08001000 18b6dfb186f69fb883d901 224d") +
      R"({"id":15638434143535919030,"peerURLs":["http://127.0.0.1:24801"],"name":"s1"})";
  frames.add_entry(typed_entry(1, 1, change, raft::EntryType::kConfChange));
  CHECK(frames.crc() == 0xefcdf0ef);
  frames.add(RecordType::kState, raft::encoded(raft::HardState{raft::Term(1), {}, raft::Index(1)}));
  CHECK(frames.crc() == 0x42af461d);
  frames.add_entry(typed_entry(2, 2, {}, raft::EntryType::kNormal));

  const std::string bytes = written(frames);
  CHECK(to_hex(bytes.substr(0, 16)) ==
        "0400000000000084"
        "08041000"
        "00000000");
  CHECK(
      bytes.substr(16, 40) ==
      from_hex(
          "1f00000000000081 080110c3de9384051a15 08b6dfb186f69fb883d901 10ffc8eae297bcefe047 00"));
  CHECK(bytes.substr(56, 24) == from_hex("0e00000000000082 080510aab1a4ed041a04 08001000 0000"));
  CHECK(bytes.substr(80, 16) == from_hex("7000000000000000 080210efe1b7fe0e"));
  CHECK(bytes.substr(200, 24) == from_hex("1000000000000000 0803109d8cbd95041a06 080110001801"));
  CHECK(bytes.substr(224) == from_hex("1000000000000000 080210aedcfdd7061a06 080010021802"));
}

TEST_CASE("a segment that goes on from another begins with its rolling crc") {
  FrameBuffer frames(0x9459f61a);
  frames.add_crc();
  CHECK(written(frames) == from_hex("0800000000000000 0804109aece7a209"));
}

TEST_CASE("copied and referenced payloads give the same bytes") {
  for (const std::size_t size : {0, 1, 7, 511, 512, 513, 5000}) {
    CAPTURE(size);
    const raft::Entry e = typed_entry(3, 9, std::string(size, 'p'), raft::EntryType::kNormal);
    FrameBuffer one;
    FrameBuffer other;
    one.add_entry(e);
    one.add_entry(e);
    other.add(RecordType::kEntry, raft::encoded(e));
    other.add(RecordType::kEntry, raft::encoded(e));
    CHECK(one.crc() == other.crc());
    CHECK(one.bytes() == other.bytes());
    const std::string bytes = written(one);
    CHECK(bytes == written(other));
    CHECK(bytes.size() % 8 == 0);
    CHECK(one.empty());
    CHECK(one.bytes() == 0);
  }
}

TEST_CASE("length fields") {
  for (std::uint64_t bytes = 1; bytes < 40; ++bytes) {
    const FrameLength length = parse_frame_length(frame_length_field(bytes));
    CHECK(length.record_bytes == bytes);
    CHECK(length.frame_bytes() % 8 == 0);
    CHECK(length.padding_bytes == (8 - bytes % 8) % 8);
  }
  CHECK(parse_frame_length(0x0300'0000'0000'0005).padding_bytes == 0);  // no sign bit, no padding
  CHECK(parse_frame_length(UINT64_MAX).record_bytes == 0x00ff'ffff'ffff'ffff);
}

TEST_CASE("payloads: absent fields are zero, malformed ones are refused") {
  CHECK(decode_identity("").value() == Identity{});
  CHECK(decode_snapshot_record(from_hex("0805")).value().mark.index == raft::Index(5));
  CHECK_FALSE(decode_identity(from_hex("08")).has_value());
  CHECK_FALSE(decode_snapshot_record(from_hex("1a03 0801")).has_value());
  CHECK_FALSE(decode_record(from_hex("0000")).has_value());

  const SnapshotRecord record{{raft::Index(7), raft::Term(2)},
                              raft::ConfState{.voters = {raft::NodeId(4)}}};
  CHECK(decode_snapshot_record(encode_snapshot_record(record)).value() == record);
  CHECK(to_hex(encode_snapshot_record(record)) ==
        "08071002"
        "1a04"
        "08042800");
}
