#include <doctest/doctest.h>

#include "server_workload.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a member survives a crash at every write and sync point") {
  SweepResult total;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) total += sweep_server({.seed = seed});
  CHECK_MESSAGE(total.failures == 0, total.report);
  CHECK(total.crashes > 300);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}
