#include <doctest/doctest.h>

#include "cluster_schedule.h"
#include "truss/test_support/soak.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a cluster agrees and loses nothing under hundreds of long random schedules") {
  for (std::uint64_t seed = 1000; seed < 1000 + test_support::soak_share(400); ++seed) {
    CAPTURE(seed);
    const auto level = seed % 3 == 0 ? server::CompatLevel::k34 : server::CompatLevel::k36;
    const auto result = run_schedule({.seed = seed, .steps = 200, .level = level});
    REQUIRE_MESSAGE(result.problem.empty(), result.problem, "\n", result.story);
  }
}
