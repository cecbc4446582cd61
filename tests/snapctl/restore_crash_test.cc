// A restore that loses power, or whose disk fails, leaves a whole data directory or none.
#include <doctest/doctest.h>

#include "small_db.h"
#include "truss/common/testing/memory_logger.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/common/testing/sweep.h"
#include "truss/snap/snapshotter.h"
#include "truss/snaptool/hash_kv.h"
#include "truss/snaptool/restore.h"
#include "truss/snaptool/verify.h"
#include "truss/test_support/temp_dir.h"
#include "truss/wal/wal.h"

using namespace truss;
using namespace truss::snaptool;
using truss::testing::SimFileSystem;
using truss::testing::Verdict;

namespace {

const std::string& snapshot_bytes() {
  static const std::string kBytes = [] {
    test_support::TempDir dir;
    snaptool_test::write_db(dir / "db", snaptool_test::known_history());
    snaptool_test::snapshot(dir / "db", dir / "s");
    return snaptool_test::contents(dir / "s");
  }();
  return kBytes;
}

std::unique_ptr<SimFileSystem> disk_with_snapshot() {
  auto disk = std::make_unique<SimFileSystem>();
  REQUIRE(disk->make_dir("/var", 0700).has_value());
  const auto file = disk->open("/s.db", {.write = true, .create = true}).value();
  REQUIRE(file->pwrite(snapshot_bytes(), 0).has_value());
  return disk->clone();
}

RestoreOptions options(const std::string& wal_dir) {
  RestoreOptions out{.snapshot = "/s.db", .data_dir = "/var/d"};
  out.wal_dir = wal_dir;
  return out;
}

Result<Restored> run(SimFileSystem& disk, const std::string& wal_dir) {
  truss::testing::SimProcess process;
  truss::testing::MemoryLogger log;
  return restore(disk, process, log, options(wal_dir));
}

Verdict judge(SimFileSystem& disk, const std::string& wal_dir) {
  if (!exists(disk, "/var/d")) return {};
  truss::testing::SimProcess process;
  truss::testing::MemoryLogger logger;
  const std::string wal = wal_dir.empty() ? "/var/d/member/wal" : wal_dir;
  const auto log = wal::open_and_read(disk, process, wal, {}, wal::Options{});
  if (!log) return "log: " + log.error().message;
  if (log->repaired || log->contents.entries.size() != 1) return "the log is not whole";
  snap::Snapshotter snapshotter(disk, logger, "/var/d/member/snap");
  if (!snapshotter.load_newest()) return "no .snap";
  auto db = DbFile::open(disk, "/var/d");
  if (!db) return "db: " + db.error().message;
  const auto hash = hash_kv(db->tx(), 0);
  return hash && hash->hash == 2091899867 ? "" : "the db differs";
}

}  // namespace

TEST_CASE("power failures at each point of a restore") {
  for (const std::string wal_dir : {"", "/var/w"}) {
    auto disk = disk_with_snapshot();
    truss::testing::CrashSweep sweep(
        {.seed = 3, .copies_per_point = 4},
        [&](SimFileSystem& crashed) { return judge(crashed, wal_dir); });
    sweep.attach(*disk);
    REQUIRE(run(*disk, wal_dir).has_value());
    sweep.crash_now(*disk);
    CHECK_MESSAGE(sweep.failures() == 0, sweep.report());
    CHECK(sweep.points() > 20);
    CHECK(disk->unsynced() == 0);
    CHECK(exists(*disk, "/var/d"));
    CHECK(judge(*disk, wal_dir).empty());
  }
}

TEST_CASE("each call of a restore fails in turn") {
  truss::testing::FaultSweep sweep;
  sweep.make_disk = disk_with_snapshot;
  sweep.run = [](SimFileSystem& disk) -> Verdict {
    (void)run(disk, "");  // the last sync may fail when all is in place
    return {};
  };
  sweep.check = [](SimFileSystem& disk) { return judge(disk, ""); };
  const auto outcome = sweep.sweep();
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  CHECK(outcome.runs > 50);
}
