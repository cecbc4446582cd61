#include <doctest/doctest.h>

#include "bolt_workload.h"

using namespace truss;
using namespace truss::testing;

namespace {

/// Sweeps seed after seed until one fails. True if one does.
bool noticed(BoltWorkload workload) {
  for (workload.seed = 1; workload.seed <= 20; ++workload.seed) {
    const auto result = sweep_bolt(workload);
    if (result.failures > 0) {
      MESSAGE("noticed at crash ", result.crashes, " of seed ", workload.seed);
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("a bolt file survives a crash at every write and sync point") {
  SweepResult total;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    BoltWorkload workload{.seed = seed};
    workload.options.no_freelist_sync = seed % 2 == 0;
    workload.options.freelist_type =
        seed % 4 < 2 ? bolt::FreelistType::kArray : bolt::FreelistType::kHashMap;
    total += sweep_bolt(workload);
  }
  CHECK_MESSAGE(total.failures == 0, total.report);
  CHECK(total.crashes > 1000);
}

TEST_CASE("the sweep of bolt fails without the data sync before the meta page") {
  BoltWorkload workload;
  workload.skip_data_sync = true;
  CHECK(noticed(workload));
}

TEST_CASE("the sweep of bolt fails without the sync of the meta page") {
  BoltWorkload workload;
  workload.skip_meta_sync = true;
  CHECK(noticed(workload));
}

TEST_CASE("the sweep of bolt fails without the sync of its directory") {
  BoltWorkload workload;
  workload.injector = skip_matching([](const SimOp& op) { return op.kind == OpKind::kSyncDir; });
  CHECK(noticed(workload));
}
