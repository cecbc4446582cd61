#include <doctest/doctest.h>

#include "lies.h"
#include "snapshot_workload.h"

using namespace truss;
using namespace truss::testing;

// The sweep is itself proved: each promise taken away must make it fail.
namespace {

constexpr std::string_view kSnap = "/data/member/snap/";

/// Sweeps seed after seed until one fails; true if one does. Injectors have state: one per seed.
bool noticed(SnapshotWorkload workload, const std::function<SimInjector()>& make_injector = {}) {
  for (workload.seed = 1; workload.seed <= 6; ++workload.seed) {
    if (make_injector) workload.injector = make_injector();
    const auto result = sweep_snapshot(workload);
    if (result.failures == 0) continue;
    MESSAGE("noticed at crash ", result.crashes, " of seed ", workload.seed, ": ",
            result.report.substr(0, result.report.find('\n')));
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the sweep fails without the sync of the received database") {
  CHECK(noticed({}, [] {
    return skip_matching([](const SimOp& op) {
      return op.kind == OpKind::kSync && op.path.starts_with(std::string(kSnap) + "tmp");
    });
  }));
}

TEST_CASE("the sweep fails without the syncs of its name and that of the .snap file") {
  // Either makes the other's name durable too, before the log vouches for them.
  CHECK(noticed({}, [] {
    return skip_matching([](const SimOp& op) {
      return op.kind == OpKind::kSyncDir && op.path == "/data/member/snap";
    });
  }));
}

TEST_CASE("the sweep fails without the sync of the .snap file") {
  CHECK(noticed({}, [] {
    return skip_matching([](const SimOp& op) {
      return op.kind == OpKind::kSync && op.path.starts_with(kSnap) && op.path.ends_with(".snap");
    });
  }));
}

TEST_CASE("the sweep fails if the database is taken over before the log is synced") {
  SnapshotWorkload workload;
  workload.sabotage.answer_before_sync = true;
  CHECK(noticed(workload));
}

TEST_CASE("the sweep fails without the fdatasync of the log") {
  CHECK(noticed({}, [] {
    return skip_matching([](const SimOp& op) {
      return op.kind == OpKind::kSyncData && op.path.starts_with("/data/member/wal/");
    });
  }));
}
