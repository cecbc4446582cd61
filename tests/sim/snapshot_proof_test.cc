#include <doctest/doctest.h>

#include "lies.h"
#include "noticed.h"
#include "snapshot_workload.h"

using namespace truss;
using namespace truss::testing;

// The sweep is itself proved: each promise taken away must make it fail.
namespace {

constexpr std::string_view kSnap = "/data/member/snap/";

bool noticed(SnapshotWorkload workload, const std::function<SimInjector()>& make_injector = {}) {
  return sweep_notices(sweep_snapshot, std::move(workload), 6, make_injector);
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
