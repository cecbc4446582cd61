#include <doctest/doctest.h>

#include "reference_log.h"
#include "test_log.h"
#include "truss/raft/codec.h"

using namespace truss;
using namespace truss::wal;

// The library's verdicts against the reference reader's, on every damage of a kind.
namespace {

/// A log with all record types, a record over several sectors, and a short zero tail.
std::string small_log() {
  TestLog log;
  log.options.segment_bytes = 4096;
  log.create(encode_identity({raft::NodeId(0xd906e0ff60cc6fb6), 77}));
  log.save({entry(1, 1, "first"), entry(1, 2)}, hard_state(1, 3, 0));
  log.save({entry(2, 3, std::string(1300, 'z'))}, hard_state(2, 3, 2));
  const raft::ConfState conf_state{.voters = {raft::NodeId(3)}};
  log.wal->save_snapshot(mark(2, 1), &conf_state);
  log.save({entry(2, 4, "last")}, hard_state(2, 3, 3));
  const std::uint64_t end = read_log(log.fs, log.dir, {})->report.tail_offset;
  return log.bytes_of(kFirstSegment).substr(0, end + 64);
}

/// True if the byte at `offset` is the value of some record's type field.
bool is_type_byte(const std::string& bytes, std::size_t offset) {
  for (const auto& record : reference::read(bytes).records) {
    if (offset == record.offset + kFrameHeaderBytes + 1) return true;
  }
  return false;
}

/// One file as a whole log, on a disk of its own that is reused.
class Judge {
 public:
  Judge() { REQUIRE(fs_.make_dir("/w").has_value()); }

  /// Empty if library and reference agree about these bytes.
  std::string compare(const std::string& bytes) {
    put(bytes);
    const reference::Log expected = reference::read(bytes);
    const auto file = fs_.open(path_, {}).value();
    LogReader reader({{path_, file.get()}});
    Record record;
    for (std::size_t i = 0;; ++i) {
      const auto found = reader.next(record);
      if (!found) return compare_end(expected, i, end_of(found.error()), reader.end());
      if (!*found) return compare_end(expected, i, reference::End::kClean, reader.end());
      if (i == expected.records.size()) return "read a record too many";
      if (record.data != expected.records[i].data)
        return "record " + std::to_string(i) + " differs";
    }
  }

  /// What open_and_read makes of these bytes.
  Result<OpenedWal> open(const std::string& bytes) {
    put(bytes);
    return open_and_read(fs_, process_, "/w", {}, {});
  }
  std::string stored() { return read_file(fs_, path_).value(); }

 private:
  static reference::End end_of(const Error& error) {
    return is_torn(error) ? reference::End::kTorn : reference::End::kDamaged;
  }
  static std::string compare_end(const reference::Log& expected, std::size_t records,
                                 reference::End end, const Place& place) {
    if (records != expected.records.size()) return "read " + std::to_string(records) + " records";
    if (end != expected.end) return "another verdict: " + std::to_string(static_cast<int>(end));
    if (place.offset != expected.end_offset) return "ends at " + std::to_string(place.offset);
    return {};
  }
  void put(const std::string& bytes) {
    const auto file = fs_.open(path_, {.write = true, .create = true, .truncate = true}).value();
    REQUIRE(file->pwrite(bytes, 0).has_value());
  }

  testing::SimFileSystem fs_;
  testing::SimProcess process_;
  std::string path_ = "/w/" + std::string(kFirstSegment);
};

}  // namespace

TEST_CASE("library and reference agree on each flipped bit, and none is silently taken") {
  const std::string bytes = small_log();
  const std::size_t used = bytes.size() - 64;
  Judge judge;
  const auto intact = judge.open(bytes)->contents;
  REQUIRE(judge.compare(bytes) == "");
  std::size_t refused = 0;
  std::size_t repaired = 0;
  std::size_t unharmed = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const std::string verdict = judge.compare(flipped);
    CHECK_MESSAGE(verdict == "", "bit " << bit << ": " << verdict);
    const auto opened = judge.open(flipped);
    if (!opened) {
      ++refused;
      CHECK_MESSAGE(judge.stored() == flipped, "a refused log was changed, bit " << bit);
      continue;
    }
    if (opened->repaired) {
      ++repaired;
      CHECK(opened->contents.entries.size() <= intact.entries.size());
    } else if (opened->contents.entries == intact.entries) {
      ++unharmed;
    }
    // Whatever is returned is a prefix of the truth, unless the bit is in a record's type, which no
    // crc covers: a hard state read as an entry goes unnoticed, in etcd too.
    if (is_type_byte(bytes, bit / 8)) continue;
    for (std::size_t i = 0; i < opened->contents.entries.size(); ++i) {
      CHECK(opened->contents.entries[i] == intact.entries[i]);
    }
  }
  CHECK(refused > used * 6);  // most bits lie in checked data
  CHECK(repaired > 0);
  CHECK(unharmed > 0);
}

TEST_CASE("library and reference agree on each zeroed sector, word and byte") {
  const std::string bytes = small_log();
  Judge judge;
  for (const std::size_t grain : {1, 8, 512}) {
    for (std::size_t at = 0; at < bytes.size(); at += grain) {
      std::string damaged = bytes;
      const std::size_t size = std::min(grain, bytes.size() - at);
      damaged.replace(at, size, size, '\0');
      const std::string verdict = judge.compare(damaged);
      CHECK_MESSAGE(verdict == "", "at " << at << ", " << grain << " bytes: " << verdict);
    }
  }
}

TEST_CASE("library and reference agree on random rubbish, with and without a good start") {
  const std::string bytes = small_log();
  Judge judge;
  SeededRandom random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = bytes.substr(0, random.below(3) == 0 ? 0 : random.below(bytes.size()));
    for (std::uint64_t left = random.below(300); left > 0; --left) {
      damaged += random.below(4) == 0 ? '\0' : static_cast<char>(random.below(12));
    }
    const std::string verdict = judge.compare(damaged);
    CHECK_MESSAGE(verdict == "", "round " << round << ": " << verdict);
    static_cast<void>(judge.open(damaged));
  }
}

TEST_CASE("damage that crc and protobuf can't see is refused by meaning") {
  const auto refusal = [](const std::function<void(TestLog&)>& write) {
    TestLog log;
    log.create();
    write(log);
    log.open();
    const auto read = log.wal->read_all();
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == Code::kCorruption);
    return read.error().message;
  };
  // The type byte of a record is not covered by its crc: turn the entry into something else.
  const auto with_type = [](char type) {
    return [type](TestLog& log) {
      const std::uint64_t at = read_log(log.fs, log.dir, {})->report.tail_offset;
      log.save({entry(1, 1, "abc"), entry(1, 2, "def")});
      log.overwrite(kFirstSegment, ByteView(&type, 1), at + 9);
    };
  };
  CHECK(refusal(with_type(1)).find("conflicting metadata") != std::string::npos);
  CHECK(refusal(with_type(3)).find("entry 2 follows entry 0") != std::string::npos);
  CHECK(refusal(with_type(9)).find("unexpected block type 9") != std::string::npos);
}
