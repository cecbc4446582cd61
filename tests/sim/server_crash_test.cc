#include <doctest/doctest.h>

#include "server_workload.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a member survives a crash at every write and sync point") {
  SweepResult total;
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    total += sweep_server({.seed = seed, .operations = 100});
  CHECK_MESSAGE(total.failures == 0, total.report);
  CHECK(total.crashes > 300);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}

TEST_CASE("a member at level 3.4 does so too") {
  const auto result =
      sweep_server({.seed = 7, .operations = 60, .level = server::CompatLevel::k34});
  CHECK_MESSAGE(result.failures == 0, result.report);
}

TEST_CASE("a member whose level is raised from 3.4 to 3.6 does so too") {
  const auto result = sweep_server(
      {.seed = 9, .operations = 75, .level = server::CompatLevel::k34, .raise_level = true});
  CHECK_MESSAGE(result.failures == 0, result.report);
}

TEST_CASE("a member keeps what it acknowledged when any one call of the disk fails") {
  const auto outcome = sweep_server_faults({.seed = 5, .operations = 60, .stride = 9});
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  CHECK(outcome.runs > 50);
}
