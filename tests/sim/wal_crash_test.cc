#include <doctest/doctest.h>

#include "noticed.h"
#include "wal_workload.h"

using namespace truss;
using namespace truss::testing;

namespace {

/// In the finished log, not in the making of it.
bool in_log(const SimOp& op) { return op.path.starts_with("/data/wal/"); }

bool noticed(const std::function<SimInjector()>& make_injector) {
  return sweep_notices(sweep_wal, WalWorkload{}, 40, make_injector);
}

bool noticed(const std::function<bool(const SimOp&)>& match) {
  return noticed([&] { return skip_matching(match); });
}

/// Skips the syncs of the log's directory that follow an operation of this kind.
SimInjector skip_dir_sync_after(OpKind kind) {
  return skip_matching([kind, last = OpKind::kOpen](const SimOp& op) mutable {
    if (op.kind == OpKind::kSyncDir) return op.path == "/data/wal" && last == kind;
    if (is_point(op.kind) && !is_sync(op.kind)) last = op.kind;
    return false;
  });
}

}  // namespace

TEST_CASE("a log survives a crash at every write and sync point") {
  SweepResult total;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) total += sweep_wal({.seed = seed});
  CHECK_MESSAGE(total.failures == 0, total.report);
  CHECK(total.crashes > 1000);
}

TEST_CASE("the sweep of the log fails without the sync of its first segment") {
  CHECK(noticed(
      [](const SimOp& op) { return op.path.starts_with("/data/wal.tmp/") && is_sync(op.kind); }));
}

TEST_CASE("the sweep of the log fails without its fdatasync") {
  CHECK(noticed([](const SimOp& op) { return in_log(op) && op.kind == OpKind::kSyncData; }));
}

TEST_CASE("the sweep of the log fails without the sync of its parent directory") {
  CHECK(noticed([](const SimOp& op) { return op.path == "/data" && op.kind == OpKind::kSyncDir; }));
}

TEST_CASE("the sweep of the log fails without the directory sync after a cut") {
  CHECK(noticed([] { return skip_dir_sync_after(OpKind::kRename); }));
}

TEST_CASE("the sweep of the log fails without the directory sync after a purge") {
  CHECK(noticed([] { return skip_dir_sync_after(OpKind::kRemove); }));
}

TEST_CASE("the sweep of the log fails without the sync of the directory it is created in") {
  CHECK(noticed(
      [](const SimOp& op) { return op.path == "/data/wal.tmp" && op.kind == OpKind::kSyncDir; }));
}

TEST_CASE("a log keeps what it acknowledged when any one call fails") {
  const auto outcome = sweep_wal_faults({.seed = 3, .steps = 40, .segment_bytes = 8 << 10});
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  CHECK(outcome.runs > 200);
}
