#include <doctest/doctest.h>

#include "test_log.h"
#include "truss/wal/maintenance.h"

using namespace truss;
using namespace truss::wal;

namespace {

/// Ten saves of one 600-byte entry and a hard state each; where each save's records end.
struct SavedLog : TestLog {
  std::vector<std::uint64_t> ends;

  SavedLog() {
    create();
    for (std::uint64_t i = 1; i <= 10; ++i) {
      save({entry(1, i, std::string(600, static_cast<char>('a' + i)))}, hard_state(1, 1, i - 1));
      ends.push_back(read_log(fs, dir, {})->report.tail_offset);
    }
    wal.reset();
    options.refuse_synced_hole = true;
  }
  void zero(std::uint64_t from, std::uint64_t bytes) {
    overwrite(kFirstSegment, std::string(bytes, '\0'), from);
  }
  /// Zeroes the first whole sector in the n-th save's entry.
  void zero_sector_in(std::size_t n) { zero((ends[n - 2] / 512 + 1) * 512, 512); }
  Result<OpenedWal> opened() { return open_and_read(fs, process, dir, {}, options); }
};

}  // namespace

TEST_CASE("an intact log and a plain torn tail have no hole") {
  SavedLog log;
  CHECK_FALSE(find_hole(log.fs, log.dir).value().has_value());
  log.zero_sector_in(10);
  const auto hole = find_hole(log.fs, log.dir).value();
  CHECK((!hole || !hole->synced));
  CHECK(log.opened()->repaired);
}

TEST_CASE("a lost sector under later saves is damage, and left as it is") {
  for (const std::size_t lost : {2, 5, 8}) {
    CAPTURE(lost);
    SavedLog log;
    log.zero_sector_in(lost);
    const std::string before = log.bytes_of(kFirstSegment);
    const auto hole = find_hole(log.fs, log.dir).value();
    REQUIRE(hole.has_value());
    CHECK(hole->synced);
    CHECK(hole->begin == log.ends[lost - 2]);
    CHECK(hole->last_before == raft::Index(lost - 1));
    CHECK(hole->last_after == raft::Index(10));
    const auto opened = log.opened();
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Code::kCorruption);
    CHECK(opened.error().message.find("with entries " + std::to_string(lost)) != std::string::npos);
    CHECK(log.bytes_of(kFirstSegment) == before);
    CHECK(log.files().size() == 1);

    log.options.refuse_synced_hole = false;  // as etcd: cut, and forget
    CHECK(log.opened()->contents.entries.size() == lost - 1);
  }
}

TEST_CASE("a zeroed length field under later saves is damage too") {
  SavedLog log;
  log.zero(log.ends[3], 8);
  const auto hole = find_hole(log.fs, log.dir).value();
  REQUIRE(hole.has_value());
  CHECK(hole->synced);
  CHECK(hole->begin == log.ends[3]);
  CHECK(hole->first_after == raft::Index(6));
  const std::string before = log.bytes_of(kFirstSegment);
  CHECK_FALSE(log.opened().has_value());
  CHECK(log.bytes_of(kFirstSegment) == before);
  log.options.refuse_synced_hole = false;
  CHECK(log.opened()->contents.entries.size() == 4);
}

TEST_CASE("a hole in the last save proves nothing: its sync may not have returned") {
  SavedLog log;
  log.zero(log.ends[8], 8);
  CHECK_FALSE(find_hole(log.fs, log.dir).value().has_value());
  CHECK(log.opened()->contents.entries.size() == 9);
}

TEST_CASE("entries of many appends and one sync are not taken for later saves") {
  TestLog log;
  log.create();
  log.save({entry(1, 1, "a")}, hard_state(1, 1, 0));
  const std::uint64_t end = read_log(log.fs, log.dir, {})->report.tail_offset;
  for (std::uint64_t i = 2; i <= 9; ++i) {
    log.wal->append(hard_state(1, 1, i - 1), std::vector{entry(1, i, std::string(600, 'x'))});
  }
  log.wal->sync();
  log.overwrite(kFirstSegment, std::string(8, '\0'), end);
  const auto hole = find_hole(log.fs, log.dir).value();
  REQUIRE(hole.has_value());
  CHECK_FALSE(hole->synced);
  CHECK(hole->message().find("may be a write that a crash broke off") != std::string::npos);
}

TEST_CASE("without syncs nothing is proved") {
  SavedLog log;
  log.zero_sector_in(5);
  log.options.sync = false;
  CHECK(log.opened().has_value());
}
