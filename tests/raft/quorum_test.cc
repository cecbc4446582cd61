#include "truss/raft/quorum.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "truss/common/random.h"

using namespace truss::raft;

namespace {

using Positions = std::vector<std::uint64_t>;

/// By definition: the largest position that more than half of the voters has reached.
std::uint64_t slow_majority_position(const Positions& acked) {
  if (acked.empty()) return kEverything;
  std::uint64_t best = 0;
  for (std::uint64_t candidate : acked) {
    const auto reached =
        std::count_if(acked.begin(), acked.end(), [&](std::uint64_t p) { return p >= candidate; });
    if (static_cast<std::size_t>(reached) * 2 > acked.size()) best = std::max(best, candidate);
  }
  return best;
}

}  // namespace

TEST_CASE("no voters agree on everything") {
  Positions none;
  CHECK(majority_position(none) == kEverything);
  CHECK(majority_vote(0, 0, 0) == VoteResult::kWon);
}

TEST_CASE("the majority position equals its definition, for every order of few voters") {
  for (std::size_t voters = 1; voters <= 7; ++voters) {
    Positions sorted(voters);
    for (std::size_t i = 0; i < voters; ++i) sorted[i] = i;
    do {
      Positions acked = sorted;
      CHECK(majority_position(acked) == slow_majority_position(sorted));
    } while (std::next_permutation(sorted.begin(), sorted.end()));
  }
}

TEST_CASE("the majority position equals its definition, for random voters with equal positions") {
  truss::SeededRandom random(7);
  for (int round = 0; round < 20000; ++round) {
    Positions given(1 + random.below(20));
    for (std::uint64_t& p : given) p = random.below(6);
    Positions acked = given;
    CHECK(majority_position(acked) == slow_majority_position(given));
  }
}

TEST_CASE("a vote is won by a majority, lost when none is left, else pending") {
  for (std::size_t voters = 1; voters <= 9; ++voters) {
    for (std::size_t yes = 0; yes <= voters; ++yes) {
      for (std::size_t no = 0; yes + no <= voters; ++no) {
        const VoteResult result = majority_vote(voters, yes, no);
        CHECK((result == VoteResult::kWon) == (2 * yes > voters));
        CHECK((result == VoteResult::kLost) == (2 * (voters - no) <= voters));
      }
    }
  }
}

TEST_CASE("a joint vote needs both halves and is lost with either") {
  const auto won = VoteResult::kWon;
  const auto lost = VoteResult::kLost;
  const auto pending = VoteResult::kPending;
  CHECK(joint_vote(won, won) == won);
  CHECK(joint_vote(won, pending) == pending);
  CHECK(joint_vote(pending, won) == pending);
  CHECK(joint_vote(pending, pending) == pending);
  for (VoteResult other : {won, lost, pending}) {
    CHECK(joint_vote(lost, other) == lost);
    CHECK(joint_vote(other, lost) == lost);
  }
}
