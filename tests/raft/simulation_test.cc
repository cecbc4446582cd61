#include "simulation.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "truss/test_support/soak.h"

using namespace truss::raft;

namespace {

/// The options that matter, each drawn from the seed.
Config config_of(std::uint64_t seed) {
  Config config;
  config.election_tick = 10;
  config.pre_vote = (seed & 1) != 0;
  config.check_quorum = (seed & 2) != 0;
  config.async_storage_writes = (seed & 4) != 0;
  config.step_down_on_removal = (seed & 8) != 0;
  config.max_size_per_message = (seed & 16) != 0 ? 0 : kNoLimit;
  config.max_committed_size_per_ready = (seed & 32) != 0 ? 30 : 0;
  config.max_inflight_messages = (seed & 64) != 0 ? 3 : 256;
  config.brisk_elections = (seed & 256) != 0;
  config.max_uncommitted_size = (seed & 128) != 0 ? 64 : 0;
  return config;
}

/// Half of the runs change no membership: fewer, closer fights between the same three.
Faults faults_of(std::uint64_t seed) {
  Faults faults;
  if (seed % 2 == 0) {
    faults.membership = 0;
    faults.campaign = 12;
    faults.drop = 150;
  }
  return faults;
}

std::uint64_t rounds() {
  const char* set = std::getenv("TRUSS_SIM_ROUNDS");
  return truss::test_support::soak_share(set != nullptr ? std::strtoull(set, nullptr, 10) : 64);
}

/// To look at one seed alone: TRUSS_SIM_SEED=n TRUSS_SIM_ROUNDS=1.
std::uint64_t first_seed() {
  const char* set = std::getenv("TRUSS_SIM_SEED");
  return set != nullptr ? std::strtoull(set, nullptr, 10) : 1;
}

}  // namespace

TEST_CASE("raft stays safe under loss, reordering, crashes and membership changes, and heals") {
  std::size_t committed = 0;
  std::size_t reads = 0;
  std::size_t leaders = 0;
  std::size_t snapshots = 0;
  std::size_t wedged = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + rounds(); ++seed) {
    CAPTURE(seed);
    const std::uint64_t members = seed % 2 == 0 ? 3 : 5;
    Simulation simulation(seed * 2654435761, members, config_of(seed * 37 / 2), faults_of(seed));
    simulation.run(6000);
    const bool healed = simulation.heal(3000);
    const bool stuck = simulation.wedged_by_removal() || simulation.wedged_by_term();
    wedged += stuck ? 1 : 0;
    REQUIRE_MESSAGE((healed || stuck), simulation.describe());
    committed += simulation.committed();
    reads += simulation.reads_served();
    leaders += simulation.leaders_seen();
    snapshots += simulation.snapshots_applied();
  }
  // The runs were worth something: all of this has happened, often.
  CHECK(wedged <= rounds() / 50);
  CHECK(committed > 20 * rounds());
  CHECK(reads > rounds());
  CHECK(leaders > 3 * rounds());
  CHECK(snapshots > rounds() / 2);
  MESSAGE("committed " << committed << ", reads " << reads << ", leaders " << leaders
                       << ", snapshots " << snapshots);
}
