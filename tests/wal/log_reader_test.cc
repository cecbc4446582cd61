#include "truss/wal/log_reader.h"

#include <doctest/doctest.h>

#include "frame_buffer.h"
#include "test_log.h"
#include "truss/common/coding.h"
#include "truss/raft/codec.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::wal;
using test_support::from_hex;

namespace {

/// Segments in memory, read as a chain.
struct Chain {
  testing::SimFileSystem fs;
  std::vector<std::unique_ptr<File>> files;
  std::vector<SegmentSource> sources;

  void add(ByteView bytes) {
    const std::string path = "/seg" + std::to_string(files.size());
    files.push_back(fs.open(path, {.write = true, .create = true}).value());
    REQUIRE(files.back()->pwrite(bytes, 0).has_value());
    sources.push_back({path, files.back().get()});
  }
  LogReader reader(ReadLimits limits = {}) { return LogReader(sources, limits); }
};

std::string bytes_of(FrameBuffer& frames) {
  testing::SimFileSystem fs;
  const auto file = fs.open("/f", {.write = true, .create = true}).value();
  REQUIRE(frames.write_to(*file, 0).has_value());
  return read_file(fs, "/f").value();
}

/// CRC record and `count` entries of `size` bytes.
std::string segment(int count, std::size_t size = 20, std::uint32_t crc = 0,
                    std::uint32_t* crc_after = nullptr) {
  FrameBuffer frames(crc);
  frames.add_crc();
  for (int i = 1; i <= count; ++i) {
    frames.add_entry(entry(1, static_cast<std::uint64_t>(i), std::string(size, 'd')));
  }
  if (crc_after != nullptr) *crc_after = frames.crc();
  return bytes_of(frames);
}

/// Reads to the end; the number of records, or the error.
Result<int> count_records(LogReader& reader) {
  Record record;
  for (int count = 0;; ++count) {
    TRUSS_ASSIGN(const bool found, reader.next(record));
    if (!found) return count;
  }
}

}  // namespace

TEST_CASE("the chain of crcs runs through the segments") {
  Chain chain;
  std::uint32_t crc = 0;
  chain.add(segment(3, 20, 0, &crc));
  chain.add(segment(2, 20, crc, &crc));
  LogReader reader = chain.reader();
  CHECK(count_records(reader).value() == 7);
  CHECK(reader.crc() == crc);
  CHECK(reader.end().segment == 1);
  CHECK(reader.early_ends().empty());
}

TEST_CASE("reading may begin in a middle segment") {
  Chain chain;
  std::uint32_t crc = 0;
  segment(3, 20, 0, &crc);
  chain.add(segment(2, 20, crc));
  LogReader reader = chain.reader();
  CHECK(count_records(reader).value() == 3);
}

TEST_CASE("a segment that does not go on from the one before is damage") {
  Chain chain;
  chain.add(segment(3));
  chain.add(segment(2, 20, 12345));
  LogReader reader = chain.reader();
  const auto result = count_records(reader);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Code::kCorruption);
  CHECK(result.error().message.find("/seg1: crc mismatch in a record of type crc") !=
        std::string::npos);
  CHECK(reader.place() == Place{1, 0});
}

TEST_CASE("records larger than the reader's window") {
  Chain chain;
  chain.add(segment(3, 700'000) + std::string(4096, '\0'));
  LogReader reader = chain.reader();
  CHECK(count_records(reader).value() == 4);
}

TEST_CASE("zeros and the end of the file both end a segment") {
  for (const std::size_t zeros : {0, 8, 16, 4096}) {
    Chain chain;
    const std::string records = segment(3);
    chain.add(records + std::string(zeros, '\0'));
    LogReader reader = chain.reader();
    CHECK(count_records(reader).value() == 4);
    CHECK(reader.end() == Place{0, records.size()});
  }
}

TEST_CASE("a zero length before the end of an older segment is noticed") {
  Chain chain;
  std::uint32_t crc = 0;
  const std::string records = segment(3, 20, 0, &crc);
  chain.add(records + std::string(64, '\0'));
  chain.add(segment(1, 20, crc));
  LogReader reader = chain.reader();
  CHECK(count_records(reader).value() == 6);
  CHECK(reader.early_ends() == std::vector{Place{0, records.size()}});
}

TEST_CASE("a log that ends inside a record is torn in its last segment, damaged in others") {
  const std::string records = segment(3);
  for (const std::size_t cut : {1, 4, 9, 20}) {
    Chain last;
    last.add(records.substr(0, records.size() - cut));
    LogReader reader = last.reader();
    const auto torn = count_records(reader);
    REQUIRE_FALSE(torn.has_value());
    CHECK(is_torn(torn.error()));

    Chain older;
    older.add(records.substr(0, records.size() - cut));
    older.add(segment(1));
    reader = older.reader();
    const auto damaged = count_records(reader);
    REQUIRE_FALSE(damaged.has_value());
    CHECK(damaged.error().code == Code::kCorruption);
  }
}

TEST_CASE("the size limit of 3.4 is damage, the file's size is a torn tail") {
  Chain chain;
  chain.add(segment(1, 5000));
  LogReader limited = chain.reader({.max_record_bytes = 5000});
  const auto refused = count_records(limited);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::kCorruption);
  CHECK(refused.error().message.find("max entry size limit exceeded") != std::string::npos);
  LogReader unlimited = chain.reader();
  CHECK(count_records(unlimited).value() == 2);
}

TEST_CASE("a length of 2^56 allocates nothing and is a torn tail") {
  Chain chain;
  chain.add(segment(1) + std::string(7, '\xff') + std::string(1, '\0') + std::string(600, 'x'));
  LogReader reader = chain.reader();
  const auto result = count_records(reader);
  REQUIRE_FALSE(result.has_value());
  CHECK(is_torn(result.error()));
}

TEST_CASE("a bad record is torn only if one of its sectors is all zeros") {
  std::string bytes = segment(1, 3000);
  const std::size_t record = 16;
  REQUIRE(bytes.size() > 2000);
  SUBCASE("zeroed sector") {
    bytes.replace(1024, 512, 512, '\0');
    Chain chain;
    chain.add(bytes);
    LogReader reader = chain.reader();
    CHECK(is_torn(count_records(reader).error()));
    CHECK(reader.end() == Place{0, record});
  }
  SUBCASE("a zeroed piece that fills no sector") {
    bytes.replace(1025, 511, 511, '\0');
    Chain chain;
    chain.add(bytes);
    LogReader reader = chain.reader();
    CHECK(count_records(reader).error().code == Code::kCorruption);
  }
  SUBCASE("a length with nothing behind it") {
    bytes.replace(24, bytes.size() - 24, bytes.size() - 24, '\0');
    Chain chain;
    chain.add(bytes);
    LogReader reader = chain.reader();
    CHECK(is_torn(count_records(reader).error()));
  }
}

TEST_CASE("a damage message names file, offset and what to do") {
  std::string bytes = segment(2);
  bytes[40] = static_cast<char>(bytes[40] ^ 1);
  Chain chain;
  chain.add(bytes);
  LogReader reader = chain.reader();
  const std::string message = count_records(reader).error().message;
  CHECK(message.find("wal /seg0: crc mismatch in a record of type entry (stored ") == 0);
  CHECK(message.find(" at offset 16;") != std::string::npos);
  CHECK(message.find("restore this member") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}
