#include "elections.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace truss::raft;

namespace {

constexpr std::uint64_t kElections = 40;

/// The longest of some elections, in time-outs.
double longest(const ElectionSetup& setup, Blow blow) {
  double longest = 0;
  for (std::uint64_t seed = 1; seed <= kElections; ++seed) {
    longest = std::max(longest, simulate_election(setup, blow, seed).timeouts);
  }
  return longest;
}

}  // namespace

TEST_CASE("a healthy quorum has a leader within three election time-outs, whatever the blow") {
  for (const bool pre_vote : {false, true}) {
    for (std::size_t blow = 0; blow < kBlows; ++blow) {
      CAPTURE(pre_vote);
      const std::string name(name_of(static_cast<Blow>(blow)));
      CAPTURE(name);
      const ElectionSetup setup{.pre_vote = pre_vote};
      CHECK(longest(setup, static_cast<Blow>(blow)) <= 3);
    }
  }
}

TEST_CASE("by etcd's rules alone it may take longer") {
  CHECK(longest({.brisk = 0}, Blow::kLeaderDeaf) > 3);
  CHECK(longest({.brisk = 0}, Blow::kLeaderMute) > 3);
}

TEST_CASE("the same seed gives the same election") {
  const ElectionResult one = simulate_election({}, Blow::kKillAll, 7);
  CHECK(one.timeouts == simulate_election({}, Blow::kKillAll, 7).timeouts);
  CHECK(one.timeouts != simulate_election({}, Blow::kKillAll, 8).timeouts);
}
