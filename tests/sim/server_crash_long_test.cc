#include <doctest/doctest.h>

#include "server_workload.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a member survives at least 10 000 crashes") {
  SweepResult total;
  for (std::uint64_t seed = 100; total.crashes < 10'000 && total.failures == 0; ++seed) {
    total += sweep_server({.seed = seed, .operations = 300, .copies_per_point = 2});
  }
  CHECK_MESSAGE(total.failures == 0, total.report);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}
