#include <doctest/doctest.h>

#include "snapshot_workload.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a follower survives a crash at every point of receiving a snapshot") {
  SweepResult total;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) total += sweep_snapshot({.seed = seed});
  CHECK_MESSAGE(total.failures == 0, total.report);
  CHECK(total.crashes > 200);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}

TEST_CASE("a follower at level 3.4 does so too") {
  const auto result = sweep_snapshot({.seed = 3, .rounds = 1, .level = server::CompatLevel::k34});
  CHECK_MESSAGE(result.failures == 0, result.report);
}

TEST_CASE("a follower that receives a snapshot keeps its data when a call of the disk fails") {
  const auto outcome = sweep_snapshot_faults({.seed = 5, .rounds = 1, .stride = 8});
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  CHECK(outcome.runs > 30);
}
