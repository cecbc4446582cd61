#include <doctest/doctest.h>

#include "bolt_workload.h"
#include "noticed.h"

using namespace truss;
using namespace truss::testing;

namespace {

bool noticed(BoltWorkload workload) { return sweep_notices(sweep_bolt, std::move(workload), 20); }

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
