#include <doctest/doctest.h>

#include "snapshot_workload.h"
#include "truss/test_support/soak.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a follower survives thousands of crashes while it receives snapshots") {
  SweepResult total;
  const std::uint64_t seeds = test_support::soak_share(16);
  for (std::uint64_t seed = 100; seed < 100 + seeds && total.failures == 0; ++seed) {
    total += sweep_snapshot(
        {.seed = seed,
         .rounds = 3,
         .copies_per_point = 2,
         .level = seed % 2 == 0 ? server::CompatLevel::k36 : server::CompatLevel::k34});
  }
  CHECK_MESSAGE(total.failures == 0, total.report);
  CHECK(total.crashes > 300 * seeds);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}

TEST_CASE("a follower that receives snapshots meets every single failure of its disk") {
  const auto outcome =
      sweep_snapshot_faults({.seed = 200, .rounds = 2, .stride = test_support::soak_stride()});
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  MESSAGE(outcome.runs, " runs with one failed call each");
}
