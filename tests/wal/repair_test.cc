#include <doctest/doctest.h>

#include "test_log.h"
#include "truss/wal/maintenance.h"

using namespace truss;
using namespace truss::wal;

namespace {

constexpr std::uint64_t kEntries = 8;

/// A log of eight entries of growing size, and the offsets where its records end.
struct SmallLog : TestLog {
  std::vector<std::uint64_t> ends;      // of each record
  std::vector<std::size_t> entries_at;  // entries in the log up to there
  std::string bytes;                    // of the segment, without zeros

  SmallLog() {
    create();
    for (std::uint64_t i = 1; i <= kEntries; ++i) {
      save({entry(1, i, std::string(i * 30, static_cast<char>('a' + i)))}, hard_state(1, 1, i - 1));
    }
    wal.reset();
    const auto file = fs.open(path(kFirstSegment), {}).value();
    LogReader reader({{"", file.get()}});
    Record record;
    for (std::size_t entries = 0; reader.next(record).value();) {
      entries += record.type == RecordType::kEntry ? 1 : 0;
      ends.push_back(reader.end().offset);
      entries_at.push_back(entries);
    }
    bytes = bytes_of(kFirstSegment).substr(0, ends.back());
  }
  void shorten(std::uint64_t size) {
    REQUIRE(fs.open(path(kFirstSegment), {.write = true}).value()->truncate(size).has_value());
  }
};

}  // namespace

TEST_CASE("each truncation of a log recovers the records before it") {
  const SmallLog original;
  for (std::size_t size = 1; size <= original.bytes.size(); ++size) {
    CAPTURE(size);
    SmallLog log;
    log.shorten(size);
    std::size_t whole = 0;  // records that are still whole
    while (whole < log.ends.size() && log.ends[whole] <= size) ++whole;
    const std::uint64_t good = whole == 0 ? 0 : log.ends[whole - 1];

    auto opened = open_and_read(log.fs, log.process, log.dir, {}, log.options);
    REQUIRE(opened.has_value());
    CHECK(opened->repaired == (good != size));
    CHECK(opened->contents.entries.size() == (whole == 0 ? 0 : log.entries_at[whole - 1]));
    CHECK(opened->contents.report.tail_offset == good);
    CHECK(log.fs.stat(log.path(kFirstSegment))->size == good);
    CHECK(exists(log.fs, log.path(kFirstSegment) + ".broken") == opened->repaired);
    if (opened->repaired) {
      CHECK(log.bytes_of(std::string(kFirstSegment) + ".broken") == log.bytes.substr(0, size));
    }
    const std::uint64_t next = opened->contents.entries.size() + 1;
    opened->wal->save({}, std::vector{entry(2, next, "goes on")});
    opened->wal.reset();
    CHECK(log.reopen().entries.back() == entry(2, next, "goes on"));
  }
}

TEST_CASE("a repaired log is not preallocated again, and a second repair does nothing") {
  SmallLog log;
  log.shorten(log.ends.back() - 3);
  REQUIRE(repair(log.fs, log.dir).has_value());
  const std::string after = log.bytes_of(kFirstSegment);
  CHECK(log.fs.unsynced() == 0);
  REQUIRE(repair(log.fs, log.dir).has_value());
  CHECK(log.bytes_of(kFirstSegment) == after);
}

TEST_CASE("repair does nothing about other damage, or a locked log") {
  SmallLog log;
  log.overwrite(kFirstSegment, "\x7f", log.ends[4] + 20);
  const std::string before = log.bytes_of(kFirstSegment);
  CHECK(repair(log.fs, log.dir).error().code == Code::kCorruption);
  CHECK(log.bytes_of(kFirstSegment) == before);
  CHECK(log.files().size() == 1);

  SmallLog locked;
  locked.open();
  CHECK(repair(locked.fs, locked.dir).error().code == Code::kUnavailable);
}

TEST_CASE("torn by a zeroed sector: cut before the record, whatever follows it") {
  TestLog log;
  log.create();
  log.save({entry(1, 1, std::string(3000, 'a'))}, hard_state(1, 1, 1));
  const std::uint64_t end = log.reopen().report.tail_offset;
  log.save({entry(1, 2, std::string(3000, 'b'))});
  log.wal.reset();
  log.overwrite(kFirstSegment, std::string(512, '\0'), (end / 512 + 2) * 512);
  const auto opened = open_and_read(log.fs, log.process, log.dir, {}, log.options).value();
  CHECK(opened.repaired);
  CHECK(opened.contents.entries.size() == 1);
  CHECK(log.fs.stat(log.path(kFirstSegment))->size == end);
}
