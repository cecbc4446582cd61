#include <doctest/doctest.h>

#include "server_workload.h"
#include "truss/test_support/soak.h"

using namespace truss;
using namespace truss::testing;

TEST_CASE("a member survives tens of thousands of crashes") {
  constexpr server::CompatLevel kLevels[] = {server::CompatLevel::k34, server::CompatLevel::k35,
                                             server::CompatLevel::k36};
  SweepResult total;
  for (std::uint64_t seed = 100;
       total.crashes < test_support::soak_share(50'000) && total.failures == 0; ++seed) {
    total += sweep_server({.seed = seed,
                           .operations = 300,
                           .lives = 1 + static_cast<int>(seed % 4),
                           .clients = 1 + static_cast<unsigned>(seed % 4),
                           .segment_bytes = (std::uint64_t{4} << 10) << (seed % 5),
                           .snapshot_count = 10 + seed % 50,
                           .level = kLevels[seed % 3],
                           .raise_level = seed % 7 == 0});
  }
  CHECK_MESSAGE(total.failures == 0, total.report);
  MESSAGE(total.crashes, " crashes at ", total.points, " points");
}

TEST_CASE("a member keeps what it acknowledged whichever call of the disk fails") {
  const auto outcome = sweep_server_faults(
      {.seed = 11, .operations = static_cast<int>(test_support::soak_share(120))});
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  MESSAGE(outcome.runs, " runs, ", outcome.calls, " calls each");
}
