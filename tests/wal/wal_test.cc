#include "truss/wal/wal.h"

#include <doctest/doctest.h>

#include "test_log.h"

using namespace truss;
using namespace truss::wal;

namespace {

using Names = std::vector<std::string>;

std::vector<raft::Entry> entries(std::uint64_t first, std::uint64_t count, std::size_t size,
                                 std::uint64_t term = 1) {
  std::vector<raft::Entry> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    out.push_back(entry(term, first + i, std::string(size, static_cast<char>('a' + i % 26))));
  }
  return out;
}

/// Types of all records of one segment.
std::string types_of(TestLog& log, const std::string& name) {
  const auto file = log.fs.open(log.path(name), {}).value();
  LogReader reader({{name, file.get()}});
  Record record;
  std::string out;
  while (reader.next(record).value()) out += type_name(record.type)[0];
  return out;
}

}  // namespace

TEST_CASE("a new log holds crc, metadata and an empty snapshot, and is preallocated") {
  TestLog log;
  log.create();
  CHECK(log.files() == Names{kFirstSegment});
  CHECK(types_of(log, kFirstSegment) == "cms");
  CHECK(log.fs.stat(log.path(kFirstSegment))->size == log.options.segment_bytes);
  CHECK_FALSE(exists(log.fs, "/data/wal.tmp"));
  CHECK(log.fs.unsynced() == 0);

  const auto contents = log.reopen();
  CHECK(contents.metadata == "meta");
  CHECK(contents.entries.empty());
  CHECK(contents.hard_state.empty());
  CHECK(contents.report.snapshot_found);
}

TEST_CASE("create refuses a directory that has a log and clears what an earlier try left") {
  TestLog log;
  REQUIRE(log.fs.make_dir("/data/wal.tmp").has_value());
  REQUIRE(log.fs.make_dir("/data/wal").has_value());
  REQUIRE(log.fs.open("/data/wal.tmp/junk", {.write = true, .create = true}).has_value());
  log.create();
  CHECK(log.files() == Names{kFirstSegment});
  const auto again = Wal::create(log.fs, log.process, log.dir, "m", log.options);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Code::kAlreadyExists);
}

TEST_CASE("what is saved comes back") {
  TestLog log;
  log.create();
  log.save(entries(1, 3, 100), hard_state(1, 7, 0));
  log.save(entries(4, 2, 2000), hard_state(1, 7, 3));
  const auto contents = log.reopen();
  REQUIRE(contents.entries.size() == 5);
  CHECK(contents.entries[4] == entries(4, 2, 2000)[1]);
  CHECK(contents.hard_state == hard_state(1, 7, 3));
  CHECK(contents.report.findings.empty());
  CHECK(log.wal->last_index() == raft::Index(5));
}

TEST_CASE("newer entries replace older ones and all after them") {
  TestLog log;
  log.create();
  log.save(entries(1, 6, 10, 1));
  log.save(entries(3, 2, 10, 2));
  const auto contents = log.reopen();
  REQUIRE(contents.entries.size() == 4);
  CHECK(contents.entries[1].term == raft::Term(1));
  CHECK(contents.entries[2].term == raft::Term(2));
  CHECK(contents.report.findings.empty());
}

TEST_CASE("save syncs for entries, a new term or a new vote, and for nothing else") {
  TestLog log;
  log.create();
  Wal& wal = *log.wal;
  CHECK_FALSE(wal.save({}, {}));
  CHECK(wal.save(hard_state(1, 0, 0), {}));
  CHECK(wal.save(hard_state(1, 5, 0), {}));
  CHECK_FALSE(wal.save(hard_state(1, 5, 9), {}));
  CHECK(wal.durable_commit() == raft::Index(0));
  CHECK(wal.dirty());
  CHECK(wal.save({}, entries(1, 1, 10)));
  CHECK(wal.durable_commit() == raft::Index(9));
  CHECK(wal.durable_index() == raft::Index(1));
  CHECK_FALSE(wal.dirty());
  CHECK(wal.syncs() == 4);
}

TEST_CASE("many appends, one sync") {
  TestLog log;
  log.create();
  const auto before = log.wal->syncs();
  for (std::uint64_t i = 1; i <= 50; ++i) log.wal->append({}, entries(i, 1, 100));
  CHECK(log.wal->durable_index() == raft::Index(0));
  CHECK(log.wal->dirty());
  log.wal->sync();
  CHECK(log.wal->syncs() == before + 1);
  CHECK(log.wal->durable_index() == raft::Index(50));
  CHECK(log.reopen().entries.size() == 50);
}

TEST_CASE("without sync nothing is synced") {
  TestLog log;
  log.options.sync = false;
  log.create();
  int syncs = 0;
  log.fs.observe([&](const testing::SimOp& op) { syncs += testing::is_sync(op.kind) ? 1 : 0; });
  log.save(entries(1, 100, 1000), hard_state(1, 1, 1));
  log.wal->close();
  CHECK(syncs == 0);
}

TEST_CASE("a full segment is cut: exact length, chained header, state carried over") {
  TestLog log;
  log.create();
  log.save(entries(1, 3, 100), hard_state(2, 7, 2));
  log.save(entries(4, 20, 1000));
  const std::string second = "0000000000000001-0000000000000018.wal";
  CHECK(log.files() == Names{kFirstSegment, second});
  const auto file = log.fs.open(log.path(kFirstSegment), {}).value();
  LogReader reader({{kFirstSegment, file.get()}});
  Record record;
  while (reader.next(record).value()) continue;
  CHECK(file->size().value() == reader.end().offset);
  CHECK(file->size().value() >= log.options.segment_bytes);
  CHECK(types_of(log, second) == "cms");
  CHECK(log.fs.stat(log.path(second))->size == log.options.segment_bytes);

  log.save(entries(24, 1, 10));
  CHECK(types_of(log, second) == "cmse");
  const auto contents = log.reopen();
  CHECK(contents.entries.size() == 24);
  CHECK(contents.hard_state == hard_state(2, 7, 2));
  const auto tail_only = log.reopen(mark(23, 1));
  CHECK(tail_only.entries.size() == 1);
  CHECK(tail_only.metadata == "meta");
}

TEST_CASE("a cut before the first state writes none") {
  TestLog log;
  log.create();
  log.save(entries(1, 20, 1000));
  CHECK(types_of(log, "0000000000000001-0000000000000015.wal") == "cm");
}

TEST_CASE("a snapshot record raises the index that names the next segment") {
  TestLog log;
  log.create();
  log.save(entries(1, 2, 10), hard_state(1, 1, 2));
  const raft::ConfState conf_state{.voters = {raft::NodeId(1)}};
  log.wal->save_snapshot(mark(1000, 3), &conf_state);
  CHECK(log.fs.unsynced() == 0);
  CHECK(log.wal->last_index() == raft::Index(1000));
  log.save(entries(1001, 20, 1000, 3), hard_state(3, 1, 1000));
  CHECK(log.files()[1] == "0000000000000001-00000000000003fd.wal");
  const auto contents = log.reopen(mark(1000, 3));
  CHECK(contents.entries.size() == 20);
  CHECK(contents.report.snapshot_found);
  const auto snapshots = valid_snapshots(log.fs, log.dir).value();
  REQUIRE(snapshots.size() == 2);
  CHECK(snapshots[1].conf_state == conf_state);
}

TEST_CASE("a writer killed without a word leaves a log that a new one goes on with") {
  TestLog log;
  log.create();
  std::uint64_t next = 1;
  for (int round = 0; round < 30; ++round) {
    const auto contents = log.reopen();
    CHECK(contents.entries.size() == next - 1);
    log.save(entries(next, 5, 300), hard_state(1, 1, next));
    next += 5;
  }
  CHECK(log.files().size() > 2);
}

TEST_CASE("a locked log is refused") {
  TestLog log;
  log.create();
  const auto other = Wal::open(log.fs, log.process, log.dir, {}, log.options);
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code == Code::kUnavailable);
  CHECK(other.error().message.find(kFirstSegment) != std::string::npos);
  CHECK(read_log(log.fs, log.dir, {}).has_value());  // readers take no locks
}

TEST_CASE("release unlocks all segments below the one that holds the index") {
  TestLog log;
  log.options.segment_bytes = 1000;
  log.create();
  for (std::uint64_t i = 1; i <= 5; ++i) log.save(entries(i, 1, 1000));  // a cut after each
  const auto names = list_segments(log.fs, log.dir).value();
  REQUIRE(names.size() == 6);  // beginning at 0, 2, 3, 4, 5, 6
  const auto locked = [&] {
    std::string out;
    for (const auto& name : names) {
      const auto file = log.fs.open(log.path(name.file_name()), {.write = true}).value();
      out += file->try_lock(LockKind::kOfd, true).has_value() ? '.' : 'L';
    }
    return out;
  };
  CHECK(locked() == "LLLLLL");
  log.wal->release_to(raft::Index(0));
  CHECK(locked() == "LLLLLL");
  log.wal->release_to(raft::Index(3));
  CHECK(locked() == ".LLLLL");
  log.wal->release_to(raft::Index(3));
  CHECK(locked() == ".LLLLL");
  log.wal->release_to(raft::Index(5));
  CHECK(locked() == "...LLL");
  log.wal->release_to(raft::Index(100));
  CHECK(locked() == ".....L");
}

TEST_CASE("the next segment is preallocated in the background, under names in turn") {
  testing::SimRuntime runtime(1);
  const auto executor = runtime.make_executor("alloc");
  TestLog log;
  log.options.allocator = executor.get();
  log.create();
  CHECK(log.files() == Names{kFirstSegment});
  REQUIRE(runtime.run_until_idle());
  CHECK(log.files() == Names{"0.tmp", kFirstSegment});
  CHECK(log.fs.stat(log.path("0.tmp"))->size == log.options.segment_bytes);

  log.save(entries(1, 20, 1000));
  REQUIRE(runtime.run_until_idle());
  CHECK(log.files() == Names{kFirstSegment, "0000000000000001-0000000000000015.wal", "1.tmp"});

  log.save(entries(21, 20, 1000));
  REQUIRE(runtime.run_until_idle());
  CHECK(log.files().front() == "0.tmp");
  CHECK(log.reopen().entries.size() == 40);
}

TEST_CASE("a cut does not wait for the background") {
  testing::SimRuntime runtime(1);
  const auto executor = runtime.make_executor("alloc");
  TestLog log;
  log.options.allocator = executor.get();
  log.create();
  log.save(entries(1, 20, 1000));  // the task for 0.tmp has not run: made inline as 1.tmp
  CHECK(log.files().size() == 2);
  REQUIRE(runtime.run_until_idle());
  CHECK(log.files().front() == "0.tmp");
  log.save(entries(21, 20, 1000));
  CHECK(log.files().size() == 3);
  CHECK(log.reopen().entries.size() == 40);
}

TEST_CASE("a clean end removes the preallocated file, a crash leaves it") {
  testing::SimRuntime runtime(1);
  const auto executor = runtime.make_executor("alloc");
  TestLog log;
  log.options.allocator = executor.get();
  log.create();
  REQUIRE(runtime.run_until_idle());
  log.wal.reset();
  CHECK(log.files() == Names{"0.tmp", kFirstSegment});

  log.reopen();
  REQUIRE(runtime.run_until_idle());
  log.save(entries(1, 1, 10));
  log.wal->append(hard_state(4, 2, 1), {});
  log.wal->close();
  CHECK(log.files() == Names{kFirstSegment});
  CHECK(log.reopen().hard_state == hard_state(4, 2, 1));

  log.wal->append(hard_state(5, 2, 1), {});
  log.wal->close();  // with the task still queued
  REQUIRE(runtime.run_until_idle());
  CHECK(log.files() == Names{kFirstSegment});
}

TEST_CASE("opening and reading makes no file") {
  testing::SimRuntime runtime(1);
  const auto executor = runtime.make_executor("alloc");
  TestLog log;
  log.create();
  log.options.allocator = executor.get();
  log.reopen();
  REQUIRE(runtime.run_until_idle());
  CHECK(log.files() == Names{kFirstSegment});
  log.save(entries(1, 1, 10));
  REQUIRE(runtime.run_until_idle());
  CHECK(log.files() == Names{"0.tmp", kFirstSegment});
}

TEST_CASE("a stale N.tmp with records in it does no harm") {
  TestLog log;
  log.create();
  log.save(entries(1, 1, 10));
  const auto stale = log.fs.open(log.path("0.tmp"), {.write = true, .create = true}).value();
  REQUIRE(stale->pwrite(std::string(9000, 'x'), 0).has_value());
  log.reopen();
  log.save(entries(2, 30, 1000));
  CHECK(log.files().size() == 2);
  CHECK(log.reopen().entries.size() == 31);
}

TEST_CASE("a failed write or sync ends the process and is not tried again") {
  for (const auto kind : {testing::OpKind::kWrite, testing::OpKind::kSyncData}) {
    TestLog log;
    log.create();
    int calls = 0;
    log.fs.inject([&](const testing::SimOp& op) -> std::optional<testing::SimFault> {
      if (op.kind != kind) return std::nullopt;
      ++calls;
      return testing::SimFault::error(EIO);
    });
    CHECK_THROWS_AS(log.save(entries(1, 1, 10)), testing::SimDeath);
    CHECK(calls == 1);
  }
}

TEST_CASE("suspicious but readable logs are reported, not refused") {
  TestLog log;
  log.create();
  log.save(entries(1, 1, 10, 5), hard_state(5, 1, 9));
  log.save(entries(2, 1, 10, 4), hard_state(4, 1, 1));
  const auto contents = log.reopen();
  REQUIRE(contents.report.findings.size() == 3);
  CHECK(contents.report.findings[0].find("entry 2 goes back to term 4 from 5") !=
        std::string::npos);
  CHECK(contents.report.findings[1].find("back to term 4 from 5") != std::string::npos);
  CHECK(contents.report.findings[2].find("back to commit 1 from 9") != std::string::npos);
}

TEST_CASE("a commit past the last entry is reported") {
  TestLog log;
  log.create();
  log.save(entries(1, 1, 10), hard_state(1, 1, 9));
  const auto contents = log.reopen();
  REQUIRE(contents.report.findings.size() == 1);
  CHECK(contents.report.findings[0].find("commit index 9 lies past the last entry 1") !=
        std::string::npos);
}

TEST_CASE("stray bytes after a zero length are kept until the first write, then cleared") {
  TestLog log;
  log.create();
  log.save(entries(1, 3, 10), hard_state(1, 1, 1));
  const auto end = log.reopen().report.tail_offset;
  log.overwrite(kFirstSegment, "stray", end + 1000);
  const auto contents = log.reopen();
  CHECK(contents.report.stray_bytes == 1005);
  CHECK(contents.entries.size() == 3);
  CHECK(log.bytes_of(kFirstSegment).find("stray") != std::string::npos);
  log.save(entries(4, 1, 10));
  CHECK(log.bytes_of(kFirstSegment).find("stray") == std::string::npos);
  CHECK(log.fs.stat(log.path(kFirstSegment))->size == log.options.segment_bytes);
  CHECK(log.reopen().entries.size() == 4);
}

TEST_CASE("a log that misses what the snapshot needs is refused") {
  TestLog log;
  log.options.segment_bytes = 1000;
  log.create();
  for (std::uint64_t i = 1; i <= 4; ++i) log.save(entries(i, 1, 1000), hard_state(1, 1, i));
  log.wal.reset();
  const auto names = list_segments(log.fs, log.dir).value();
  SUBCASE("oldest gone") {
    REQUIRE(log.fs.remove(log.path(names[0].file_name())).has_value());
    const auto opened = Wal::open(log.fs, log.process, log.dir, {}, log.options);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Code::kNotFound);
    CHECK(log.reopen(mark(2, 1)).entries.size() == 2);
  }
  SUBCASE("one in the middle gone") {
    REQUIRE(log.fs.remove(log.path(names[2].file_name())).has_value());
    const auto opened = Wal::open(log.fs, log.process, log.dir, {}, log.options);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Code::kCorruption);
    CHECK(opened.error().message.find("segment 2 is missing before") != std::string::npos);
  }
  SUBCASE("the one after sequence 0 gone: the crc chain tells") {
    REQUIRE(log.fs.remove(log.path(names[1].file_name())).has_value());
    log.open();
    CHECK(log.wal->read_all().error().code == Code::kCorruption);
  }
}

TEST_CASE("reading from the middle of a later segment raises no suspicion about its name") {
  TestLog log;
  log.create();
  log.save(entries(1, 20, 1000), hard_state(1, 7, 0));  // fills the first segment
  log.save(entries(21, 5, 10), hard_state(1, 7, 25));
  log.wal->save_snapshot(mark(23, 1), nullptr);
  REQUIRE(log.files().size() >= 2);
  const auto contents = log.reopen(mark(23, 1));
  CHECK(contents.entries.size() == 2);
  CHECK(contents.report.findings.empty());
}
