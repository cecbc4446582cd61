#include "truss/raft/status.h"

#include <doctest/doctest.h>

#include <set>

#include "cluster.h"

using namespace truss::raft;

/// What a node says about itself where etcd only writes log lines, and what follows from asking it
/// to lead no more.

namespace {

BasicStatus basic(Member& member) { return member.raft->basic_status(); }

ConfChangeV2 change(ConfChangeType type, std::uint64_t id) {
  return {ConfChangeTransition::kAuto, {{type, NodeId{id}}}, {}};
}

template <class Enum>
void check_texts(Enum last) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(last); ++i) texts.insert(reason(static_cast<Enum>(i)));
  CHECK(texts.size() == static_cast<std::size_t>(last) + 1);
  CHECK(texts.count("unknown") == 0);
  CHECK(reason(static_cast<Enum>(200)) == "unknown");
}

}  // namespace

TEST_CASE("every reason has a sentence of its own") {
  check_texts(Refusal::kTooManyReads);
  check_texts(NoLeaderReason::kCollectingVotes);
  check_texts(StepDownReason::kAsked);
  check_texts(ConfChangeObstacle::kNotJoint);
  check_texts(LagReason::kCatchingUp);
}

TEST_CASE("a refusal is an error for those above, by what they can do about it") {
  CHECK(to_error(Refusal::kNoLeader).code == truss::Code::kUnavailable);
  CHECK(to_error(Refusal::kUncommittedTooBig).code == truss::Code::kResourceExhausted);
  CHECK(to_error(Refusal::kTooManyReads).code == truss::Code::kResourceExhausted);
  CHECK(to_error(Refusal::kMalformed).code == truss::Code::kInvalidArgument);
}

TEST_CASE("the status says why there is no leader") {
  Cluster cluster(3);
  const auto why = [&](std::uint64_t id) { return basic(cluster[id]).no_leader; };
  CHECK(why(1) == NoLeaderReason::kWaitingForTimeout);
  cluster.isolate(1);
  cluster.campaign(1);
  CHECK(why(1) == NoLeaderReason::kCollectingVotes);
  CHECK(basic(cluster[1]).votes.voters == 3);
  CHECK(basic(cluster[1]).votes.granted == 1);
  CHECK(basic(cluster[1]).votes.refused == 0);
  cluster.heal();
  cluster.add(7);
  CHECK(why(7) == NoLeaderReason::kNotMember);
  cluster.campaign(2);
  cluster.campaign(2);
  cluster.campaign(3);
  CHECK(why(3) == NoLeaderReason::kHasLeader);
  CHECK(basic(cluster[3]).votes.voters == 0);
}

TEST_CASE("the status tells pre-votes, learners, conf changes and snapshots from each other") {
  Config config = Cluster::test_config();
  config.pre_vote = true;
  Cluster cluster(3, config);
  cluster.isolate(1);
  cluster.campaign(1);
  CHECK(basic(cluster[1]).no_leader == NoLeaderReason::kCollectingPreVotes);
  cluster.heal();
  cluster.campaign(2);
  cluster.add(4, config);
  CHECK(cluster[2].raft->propose_conf_change(change(ConfChangeType::kAddLearnerNode, 4)));
  cluster.settle();
  cluster[4].raft->forget_leader();
  CHECK(basic(cluster[4]).no_leader == NoLeaderReason::kLearner);

  Member& three = cluster[3];
  Message app = message(MessageType::kApp, 2, 3, three.term().value());
  app.index = three.last();
  app.log_term = three.term();
  app.entries = {{three.term(), three.last() + 1, EntryType::kConfChangeV2, {}}};
  app.commit = three.last() + 1;
  CHECK(step(three, app).has_value());
  three.raft->forget_leader();
  CHECK(basic(three).no_leader == NoLeaderReason::kConfChangeUnapplied);

  Message snap = message(MessageType::kSnap, 2, 3, three.term().value());
  snap.has_snapshot = true;
  snap.snapshot.metadata = {cluster[2].raft->conf_state(), Index{50}, three.term()};
  CHECK(step(three, snap).has_value());
  three.raft->forget_leader();
  CHECK(basic(three).no_leader == NoLeaderReason::kStoringSnapshot);
}

TEST_CASE("a leader that stepped down says why") {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  config.step_down_on_removal = true;
  Cluster cluster(3, config);
  cluster.campaign(1);
  CHECK(basic(cluster[1]).stepped_down == StepDownReason::kNever);
  cluster.isolate(1);
  cluster.tick(1, 20);
  CHECK(cluster[1].role() == Role::kFollower);
  CHECK(basic(cluster[1]).stepped_down == StepDownReason::kNoQuorum);
  cluster.heal();
  cluster.campaign(2);
  cluster[2].raft->transfer_leader(NodeId{3});
  cluster.settle();
  REQUIRE(cluster.leader() == 3);
  CHECK(basic(cluster[2]).stepped_down == StepDownReason::kHigherTerm);
  CHECK(basic(cluster[1]).stepped_down == StepDownReason::kNoQuorum);  // it led no more since
  CHECK(cluster[3].raft->propose_conf_change(change(ConfChangeType::kRemoveNode, 3)));
  cluster.settle();
  CHECK(basic(cluster[3]).stepped_down == StepDownReason::kRemoved);
  CHECK(basic(cluster[3]).no_leader == NoLeaderReason::kNotMember);
}

TEST_CASE("a leader steps down when asked to, without a message or a write") {
  Cluster cluster(3);
  cluster.campaign(1);
  const Term term = cluster[1].term();
  cluster.sent.clear();
  cluster[1].raft->step_down();
  CHECK(basic(cluster[1]).stepped_down == StepDownReason::kAsked);
  Ready& ready = cluster[1].raft->ready();
  CHECK(ready.soft_state == SoftState{kNoNode, Role::kFollower});
  CHECK_FALSE(ready.hard_state.has_value());
  CHECK(ready.messages.empty());
  cluster[1].raft->advance();
  cluster[1].raft->tick();
  CHECK_FALSE(cluster[1].raft->has_ready());  // no heartbeat
  CHECK(cluster[1].raft->propose(bytes("x")).error() == Refusal::kNoLeader);
  cluster.campaign(2);
  CHECK(cluster.leader() == 2);
  CHECK(cluster[2].term() == term + 1);
}

TEST_CASE("a candidate gives up when asked to, a follower stays what it is") {
  Cluster cluster(3);
  cluster.campaign(2);
  cluster[3].raft->step_down();
  CHECK(cluster[3].leader() == NodeId{2});
  cluster.isolate(1);
  cluster.campaign(1);
  REQUIRE(cluster[1].role() == Role::kCandidate);
  cluster[1].raft->step_down();
  CHECK(cluster[1].role() == Role::kFollower);
  CHECK(basic(cluster[1]).stepped_down == StepDownReason::kNever);
}

TEST_CASE("who may not campaign follows and votes, and stands for no election") {
  Cluster cluster(3);
  cluster[1].raft->allow_campaigns(false);
  cluster[1].raft->campaign();
  cluster.tick(1, 40);
  CHECK(cluster[1].role() == Role::kFollower);
  CHECK(basic(cluster[1]).no_leader == NoLeaderReason::kHeldBack);
  cluster.isolate(3);
  cluster.campaign(2);
  CHECK(cluster.leader() == 2);
  cluster[2].raft->transfer_leader(NodeId{1});
  cluster.settle();
  CHECK(cluster.leader() == 2);
  cluster[1].raft->allow_campaigns(true);
  cluster.campaign(1);
  CHECK(cluster.leader() == 1);
}

TEST_CASE("candidates for a transfer: voters heard from, the longest log first") {
  Cluster cluster(4);
  cluster.campaign(1);
  cluster.isolate(2);
  cluster.propose(1, "a");
  cluster.heal();
  cluster.add(5);
  CHECK(cluster[1].raft->propose_conf_change(change(ConfChangeType::kAddLearnerNode, 5)));
  cluster.drop = [](const Message& m) { return m.to == NodeId{2} || m.to == NodeId{5}; };
  cluster.settle();
  CHECK(cluster[1].raft->transfer_candidates() ==
        std::vector<NodeId>{NodeId{3}, NodeId{4}, NodeId{2}});
  CHECK(cluster[2].raft->transfer_candidates().empty());
}

TEST_CASE("a silent peer is no candidate for a transfer") {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.tick(1, 20);
  CHECK(cluster[1].raft->transfer_candidates() == std::vector<NodeId>{NodeId{2}});
  CHECK(cluster[1].peer(3).lag == LagReason::kNone);
  cluster.propose(1, "a");
  CHECK(cluster[1].peer(3).lag == LagReason::kInactive);
  CHECK(cluster[1].peer(3).behind == 1);
}

TEST_CASE("what stands in the way of a conf change is known before it is proposed") {
  Cluster cluster(3);
  const ConfChangeV2 add = change(ConfChangeType::kAddNode, 4);
  const ConfChangeV2 leave;
  const auto obstacle = [&](const ConfChangeV2& c) { return cluster[1].raft->obstacle_to(c); };
  CHECK(obstacle(add) == ConfChangeObstacle::kNotLeader);
  cluster[1].raft->campaign();
  cluster.handle_ready(cluster[1]);
  CHECK(step(cluster[1], message(MessageType::kVoteResp, 2, 1, 2)).has_value());
  REQUIRE(cluster[1].role() == Role::kLeader);
  CHECK(obstacle(add) == ConfChangeObstacle::kNone);  // everything of the log is applied
  CHECK(obstacle(leave) == ConfChangeObstacle::kNotJoint);
  ConfChangeV2 joint = add;
  joint.transition = ConfChangeTransition::kJointExplicit;
  CHECK(cluster[1].raft->propose_conf_change(joint).has_value());
  CHECK(obstacle(leave) == ConfChangeObstacle::kPending);
  cluster.queue.clear();
  cluster.settle();
  cluster.tick(1);
  CHECK(obstacle(add) == ConfChangeObstacle::kJoint);
  CHECK(obstacle(leave) == ConfChangeObstacle::kNone);
}

TEST_CASE("a lagging follower has a reason") {
  Config config = Cluster::test_config();
  config.max_inflight_messages = 2;
  Cluster cluster(3, config);
  cluster.campaign(1);
  const auto lag = [&] { return cluster[1].peer(3).lag; };
  CHECK(lag() == LagReason::kNone);
  cluster.isolate(3);
  cluster.propose(1, "a");
  CHECK(lag() == LagReason::kCatchingUp);
  cluster.propose(1, "b");
  CHECK(lag() == LagReason::kWindowFull);
  cluster[1].raft->report_unreachable(NodeId{3});
  CHECK(lag() == LagReason::kProbing);
  Member& one = cluster[1];
  REQUIRE(one.storage.create_snapshot(one.commit(), one.conf_state, {}).has_value());
  REQUIRE(one.storage.compact(one.commit()).has_value());
  CHECK(step(one, message(MessageType::kHeartbeatResp, 3, 1, 2)).has_value());
  CHECK(lag() == LagReason::kWaitingForSnapshot);
}

TEST_CASE("a leader knows what every member has, learners too") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.add(4);
  CHECK(cluster[1].raft->propose_conf_change(change(ConfChangeType::kAddLearnerNode, 4)));
  cluster.settle();
  cluster.propose(1, "a");
  const Index all = cluster[1].last();
  CHECK(cluster[1].raft->known_to_all() == all);
  CHECK(!cluster[2].raft->known_to_all());
  for (const std::uint64_t behind : {3, 4}) {
    const Index before = cluster[1].last();
    cluster.isolate(behind);
    cluster.propose(1, "b");
    CHECK(cluster[1].last() > before);
    CHECK(cluster[1].raft->known_to_all() == before);
    cluster.heal();
    cluster.tick(1);
    cluster.propose(1, "c");
    CHECK(cluster[1].raft->known_to_all() == cluster[1].last());
  }
  cluster[1].raft->step_down();
  CHECK(!cluster[1].raft->known_to_all());
}
