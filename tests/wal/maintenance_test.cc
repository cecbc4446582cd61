#include "truss/wal/maintenance.h"

#include <doctest/doctest.h>

#include "test_log.h"

using namespace truss;
using namespace truss::wal;

namespace {

/// A log of `count` full segments (entries 1 to `count`, one each) and a tail.
struct LongLog : TestLog {
  explicit LongLog(std::uint64_t count) {
    options.segment_bytes = 1000;
    create();
    for (std::uint64_t i = 1; i <= count; ++i) {
      save({entry(1, i, std::string(1000, 'x'))}, hard_state(1, 1, i));
    }
  }
  std::size_t segments() { return list_segments(fs, dir)->size(); }
};

}  // namespace

TEST_CASE("segment names") {
  const SegmentName name{0x1f, raft::Index(0x45)};
  CHECK(name.file_name() == "000000000000001f-0000000000000045.wal");
  CHECK(parse_segment_name(name.file_name()) == name);
  for (const char* other :
       {"0.tmp", "000000000000001f-0000000000000045.wal.broken", "1f-45.wal", "", ".wal",
        "000000000000001F-0000000000000045.wal", "000000000000001f+0000000000000045.wal",
        "000000000000001f-000000000000004g.wal"}) {
    CHECK_MESSAGE(!parse_segment_name(other).has_value(), other);
  }
}

TEST_CASE("a name ending in .wal makes a directory a log, well-formed or not") {
  testing::SimFileSystem fs;
  CHECK_FALSE(has_wal(fs, "/none"));
  REQUIRE(fs.make_dir("/w").has_value());
  CHECK_FALSE(has_wal(fs, "/w"));
  CHECK(list_segments(fs, "/w").error().code == Code::kNotFound);
  REQUIRE(fs.open("/w/odd.wal", {.write = true, .create = true}).has_value());
  CHECK(has_wal(fs, "/w"));
}

TEST_CASE("snapshots above the last commit are not valid to start from") {
  TestLog log;
  log.create();
  log.save({entry(1, 1), entry(1, 2), entry(1, 3)}, hard_state(1, 1, 2));
  log.wal->save_snapshot(mark(2, 1), nullptr);
  log.wal->save_snapshot(mark(3, 1), nullptr);
  const auto valid = valid_snapshots(log.fs, log.dir).value();
  REQUIRE(valid.size() == 2);
  CHECK(valid[0].mark == mark(0, 0));
  CHECK(valid[1].mark == mark(2, 1));
  log.wal->save(hard_state(2, 1, 3), {});
  CHECK(valid_snapshots(log.fs, log.dir)->size() == 3);
}

TEST_CASE("purge keeps what is locked, what is young and what the older root needs") {
  LongLog log(9);
  REQUIRE(log.segments() == 10);  // beginning at 0, 2, 3, 4, 5, 6, 7, 8, 9, 10
  const auto purged = [&](std::uint32_t max, std::uint64_t older_root) {
    return purge(log.fs, log.dir, {max, raft::Index(older_root)})->size();
  };
  CHECK(purged(5, 100) == 0);  // all locked
  log.wal->release_to(raft::Index(6));
  CHECK(purged(0, 100) == 0);  // unlimited
  CHECK(purged(10, 100) == 0);
  CHECK(purged(5, 0) == 0);
  CHECK(purged(5, 1) == 0);
  CHECK(purged(5, 2) == 1);  // the second begins at 2: the first is not needed from 2 on
  CHECK(
      purge(log.fs, log.dir, {.max_wals = 1, .older_root = raft::Index(100), .most = 0})->empty());
  CHECK(
      purge(log.fs, log.dir, {.max_wals = 1, .older_root = raft::Index(100), .most = 1})->size() ==
      1);
  CHECK(purged(1, 100) == 2);  // then the lock of the segment that holds 6
  CHECK(log.segments() == 6);
  CHECK(log.fs.unsynced() == 0);
  CHECK(log.reopen(mark(6, 1)).entries.size() == 3);
}

TEST_CASE("a purge broken off by a crash leaves no gap") {
  LongLog log(9);
  log.wal->release_to(raft::Index(8));
  int judged = 0;
  SeededRandom random(3);
  log.fs.observe([&](const testing::SimOp&) {
    for (int i = 0; i < 20; ++i) {
      const auto disk = log.fs.crashed(random);
      const auto read = read_log(*disk, log.dir, mark(8, 1));
      CHECK_MESSAGE(read.has_value(), (read ? "" : read.error().message));
      CHECK(valid_snapshots(*disk, log.dir).has_value());
      ++judged;
    }
  });
  REQUIRE(purge(log.fs, log.dir, {1, raft::Index(100)})->size() == 6);
  CHECK(judged == 6 * 2 * 20);
}
