#include "term_gate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace truss::raft;

namespace {

struct Cells {
  Gate lower;
  Gate higher;
};

/// Every kind that is not named here: dropped when old, followed (nobody) when new.
const std::map<MessageType, Cells> kSpecial = {
    {MessageType::kApp, {Gate::kNudgeStaleLeader, Gate::kFollowSender}},
    {MessageType::kHeartbeat, {Gate::kNudgeStaleLeader, Gate::kFollowSender}},
    {MessageType::kSnap, {Gate::kDrop, Gate::kFollowSender}},
    {MessageType::kVote, {Gate::kDrop, Gate::kVoteUnlessLease}},
    {MessageType::kPreVote, {Gate::kRefusePreVote, Gate::kPassUnlessLease}},
    {MessageType::kPreVoteResp, {Gate::kDrop, Gate::kPreVoteAnswer}},
    {MessageType::kStorageAppendResp, {Gate::kStorageOnly, Gate::kFollowNobody}},
};

}  // namespace

TEST_CASE("the term gate, cell by cell") {
  for (int i = 0; i <= static_cast<int>(MessageType::kForgetLeader); ++i) {
    CAPTURE(i);
    const auto type = static_cast<MessageType>(i);
    const auto special = kSpecial.find(type);
    const Cells want =
        special != kSpecial.end() ? special->second : Cells{Gate::kDrop, Gate::kFollowNobody};
    CHECK(gate_of(type, TermOrder::kLocal) == Gate::kPass);
    CHECK(gate_of(type, TermOrder::kEqual) == Gate::kPass);
    CHECK(gate_of(type, TermOrder::kLower) == want.lower);
    CHECK(gate_of(type, TermOrder::kHigher) == want.higher);
  }
}
