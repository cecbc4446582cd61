#include "cluster_schedule.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::testing;

TEST_CASE("a cluster agrees and loses nothing under random schedules") {
  ScheduleResult total;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto level = seed % 3 == 0 ? server::CompatLevel::k34 : server::CompatLevel::k36;
    const auto result = run_schedule({.seed = seed, .level = level});
    CHECK_MESSAGE(result.problem.empty(), result.problem, "\n", result.story);
    total.acknowledged += result.acknowledged;
    total.snapshots += result.snapshots;
    total.crashes += result.crashes;
  }
  CHECK(total.snapshots > 5);
  CHECK(total.acknowledged > 1000);
  MESSAGE(total.acknowledged, " writes, ", total.snapshots, " snapshots, ", total.crashes,
          " power failures");
}
