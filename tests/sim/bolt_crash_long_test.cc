#include <doctest/doctest.h>

#include "bolt_workload.h"
#include "truss/test_support/soak.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a bolt file survives tens of thousands of crashes") {
  SweepResult total;
  for (std::uint64_t seed = 100;
       total.crashes < test_support::soak_share(50'000) && total.failures == 0; ++seed) {
    BoltWorkload workload{.seed = seed, .commits = 150, .copies_per_point = 4};
    workload.options.page_size = 1024U << (seed % 3);
    workload.options.no_freelist_sync = seed % 2 == 0;
    workload.options.freelist_type =
        seed % 4 < 2 ? bolt::FreelistType::kArray : bolt::FreelistType::kHashMap;
    total += sweep_bolt(workload);
  }
  CHECK_MESSAGE(total.failures == 0, total.report);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}
