#include <doctest/doctest.h>

#include "truss/test_support/soak.h"
#include "wal_workload.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a log survives tens of thousands of crashes") {
  SweepResult total;
  for (std::uint64_t seed = 100;
       total.crashes < test_support::soak_share(50'000) && total.failures == 0; ++seed) {
    total += sweep_wal({.seed = seed,
                        .steps = 150,
                        .copies_per_point = 4,
                        .segment_bytes = (std::uint64_t{4} << 10) << (seed % 5)});
  }
  CHECK_MESSAGE(total.failures == 0, total.report);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}
