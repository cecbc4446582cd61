#include <doctest/doctest.h>

#include "wal_workload.h"

using namespace truss;
using namespace truss::testing;

namespace {

bool in_wal(const SimOp& op) { return op.path.starts_with("/data/wal"); }

/// Sweeps with operations that `match` skipped, seed after seed until one fails. True if one does.
bool noticed(const std::function<bool(const SimOp&)>& match) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    WalWorkload workload{.seed = seed};
    workload.injector = skip_matching(match);
    const auto result = sweep_wal(workload);
    if (result.failures > 0) {
      MESSAGE("noticed at crash ", result.crashes, " of seed ", seed);
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("a log survives a crash at every write and sync point") {
  SweepResult total;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) total += sweep_wal({.seed = seed});
  CHECK_MESSAGE(total.failures == 0, total.report);
  CHECK(total.crashes > 1000);
}

TEST_CASE("the sweep of the log fails without its fdatasync") {
  CHECK(noticed([](const SimOp& op) { return in_wal(op) && op.kind == OpKind::kSyncData; }));
}

TEST_CASE("the sweep of the log fails without the sync of its parent directory") {
  CHECK(noticed([](const SimOp& op) { return op.path == "/data" && op.kind == OpKind::kSyncDir; }));
}

TEST_CASE("the sweep of the log fails without the sync of its own directory") {
  CHECK(noticed(
      [](const SimOp& op) { return op.path == "/data/wal" && op.kind == OpKind::kSyncDir; }));
}

TEST_CASE("the sweep of the log fails without the sync of the directory it is created in") {
  CHECK(noticed(
      [](const SimOp& op) { return op.path == "/data/wal.tmp" && op.kind == OpKind::kSyncDir; }));
}
