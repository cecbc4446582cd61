#include <doctest/doctest.h>

#include "cluster.h"
#include "truss/raft/codec.h"

using namespace truss::raft;

/// What a leader starts with, tells and keeps: the corners (see replication_test.cc for the
/// course).

namespace {

std::vector<Message> of_type(const std::vector<Message>& sent, MessageType type) {
  std::vector<Message> out;
  for (const Message& m : sent) {
    if (m.type == type) out.push_back(m);
  }
  return out;
}

Message ack(std::uint64_t from, std::uint64_t term, std::uint64_t index) {
  Message m = message(MessageType::kAppResp, from, 1, term);
  m.index = Index{index};
  return m;
}

ConfChangeV2 change(ConfChangeType type, std::uint64_t id) {
  return {ConfChangeTransition::kAuto, {{type, NodeId{id}}}, {}};
}

/// Elects 1 with the vote of 2, and lets no other message through.
void elect_alone(Cluster& cluster) {
  cluster.drop = [](const Message& m) {
    return m.type != MessageType::kVote && m.type != MessageType::kVoteResp;
  };
  cluster.campaign(1);
  REQUIRE(cluster[1].role() == Role::kLeader);
}

}  // namespace

TEST_CASE("a new leader knows nothing of its peers' logs, and of its own everything") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.propose(1, "a");
  cluster.campaign(2);
  elect_alone(cluster);
  const Index last = cluster[1].last();
  for (std::uint64_t id : {2, 3}) {
    const Progress p = cluster[1].peer(id).progress;
    CHECK(p.match == Index{});
    CHECK(p.next == last);  // where its own empty entry lies
    CHECK(p.state == ProgressState::kProbe);
    CHECK_FALSE(p.recent_active);
    CHECK(p.sent_commit <= cluster[1].commit());
  }
  CHECK(cluster[1].peer(1).progress.match == last);
  CHECK(cluster[1].peer(1).progress.recent_active);
}

TEST_CASE("a new leader with an unapplied tail takes no conf change until it is applied") {
  Cluster cluster(3);
  cluster.campaign(2);
  cluster.drop = [](const Message& m) { return m.type == MessageType::kAppResp; };
  cluster.propose(2, "tail");
  elect_alone(cluster);
  CHECK(cluster[1].raft->obstacle_to(change(ConfChangeType::kAddNode, 4)) ==
        ConfChangeObstacle::kPending);
  cluster.heal();
  cluster.tick(1);
  CHECK(cluster[1].raft->obstacle_to(change(ConfChangeType::kAddNode, 4)) ==
        ConfChangeObstacle::kNone);
}

TEST_CASE("the second conf change of one proposal counts from its own place") {
  Cluster cluster(1);
  cluster.campaign(1);
  Message m = message(MessageType::kProp, 1, 1, 0);
  const auto add = [](std::uint64_t id) {
    return Entry{Term{}, Index{}, EntryType::kConfChange,
                 truss::SharedBytes::copy(
                     encoded(ConfChange{0, ConfChangeType::kAddLearnerNode, NodeId{id}, {}}))};
  };
  m.entries = {entry(0, 0, "x"), add(2), add(3)};
  CHECK(step(cluster[1], m).has_value());
  // Hand out and apply "x" alone: the conf change behind it still pends.
  CHECK(cluster[1].raft->obstacle_to(change(ConfChangeType::kAddNode, 4)) ==
        ConfChangeObstacle::kPending);
  cluster.settle();
  CHECK(cluster[1].raft->conf_state().learners == std::vector<NodeId>{NodeId{2}});
}

TEST_CASE("heartbeats go to all others, learners too, by ascending id, with what each has") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.add(4);
  CHECK(cluster[1].raft->propose_conf_change(change(ConfChangeType::kAddLearnerNode, 4)));
  cluster.settle();
  cluster.isolate(3);
  cluster.propose(1, "a");
  cluster.sent.clear();
  cluster[1].raft->tick();
  cluster.handle_ready(cluster[1]);
  const std::vector<Message> beats = of_type(cluster.sent, MessageType::kHeartbeat);
  REQUIRE(beats.size() == 3);
  const Index commit = cluster[1].commit();
  CHECK((beats[0].to == NodeId{2} && beats[0].commit == commit));
  CHECK((beats[1].to == NodeId{3} && beats[1].commit == commit - 1));
  CHECK((beats[2].to == NodeId{4} && beats[2].commit == commit));
  CHECK(cluster[1].peer(3).progress.sent_commit == commit - 1);
}

TEST_CASE("a peer counts as active by what it answers, refusals included") {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  Cluster cluster(3, config);
  cluster.campaign(1);
  Message refusal = ack(2, 2, 3);
  refusal.reject = true;
  cluster.isolate(1);
  for (int i = 0; i < 30; ++i) {
    cluster.tick(1);
    CHECK(step(cluster[1], refusal).has_value());
    REQUIRE(cluster[1].role() == Role::kLeader);
  }
}

TEST_CASE("a member that joins counts as active until the first quorum check after it") {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  Cluster cluster(1, config);
  cluster.campaign(1);
  CHECK(cluster[1].raft->propose_conf_change(change(ConfChangeType::kAddNode, 2)));
  cluster.settle();
  CHECK(cluster[1].peer(2).progress.recent_active);
  CHECK(cluster[1].peer(2).progress.next == Index{cluster[1].last() - Index{}});
  cluster.tick(1, 10);
  CHECK(cluster[1].role() == Role::kLeader);
  cluster.tick(1, 10);
  CHECK(cluster[1].role() == Role::kFollower);
}

TEST_CASE("an acknowledgement is followed by the new commit index, for all") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.drop = [](const Message& m) { return m.from != NodeId{1}; };
  cluster.propose(1, "a");
  cluster.sent.clear();
  CHECK(step(cluster[1], ack(2, 2, 5)).has_value());
  cluster.handle_ready(cluster[1]);
  const std::vector<Message> told = of_type(cluster.sent, MessageType::kApp);
  REQUIRE(told.size() == 2);
  for (const Message& m : told) CHECK((m.commit == Index{5} && m.entries.empty()));
}

TEST_CASE("an acknowledgement lets all that waits go, in as many messages as it takes") {
  Config config = Cluster::test_config();
  config.max_size_per_message = 0;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster[1].raft->report_unreachable(NodeId{3});
  for (const char* word : {"a", "b", "c", "d"}) cluster.propose(1, word);
  cluster.sent.clear();
  CHECK(step(cluster[1], ack(3, 2, 5)).has_value());
  cluster.handle_ready(cluster[1]);
  std::size_t entries = 0;
  for (const Message& m : of_type(cluster.sent, MessageType::kApp)) {
    if (m.to == NodeId{3}) entries += m.entries.size();
  }
  CHECK(entries == 3);
}

TEST_CASE("a transfer waits until its target has everything") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.propose(1, "a");
  cluster.propose(1, "b");
  cluster[1].raft->transfer_leader(NodeId{3});
  cluster.sent.clear();
  CHECK(step(cluster[1], ack(3, 2, 5)).has_value());
  cluster.handle_ready(cluster[1]);
  CHECK(of_type(cluster.sent, MessageType::kTimeoutNow).empty());
  CHECK(step(cluster[1], ack(3, 2, 6)).has_value());
  cluster.handle_ready(cluster[1]);
  CHECK(of_type(cluster.sent, MessageType::kTimeoutNow).size() == 1);
}

TEST_CASE("asking for the same transfer again does not prolong it, another target replaces it") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.drop = [](const Message& m) { return m.type == MessageType::kTimeoutNow; };
  cluster[1].raft->transfer_leader(NodeId{3});
  cluster.tick(1, 9);
  cluster[1].raft->transfer_leader(NodeId{3});
  CHECK(cluster[1].raft->basic_status().leader_transferee == NodeId{3});
  cluster.tick(1);
  CHECK(cluster[1].raft->basic_status().leader_transferee == kNoNode);
  cluster[1].raft->transfer_leader(NodeId{3});
  cluster[1].raft->transfer_leader(NodeId{2});
  CHECK(cluster[1].raft->basic_status().leader_transferee == NodeId{2});
  cluster[1].raft->transfer_leader(NodeId{1});  // to itself: given up
  CHECK(cluster[1].raft->basic_status().leader_transferee == kNoNode);
}

TEST_CASE("a transfer ends with the vote of its target, in either half") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.drop = [](const Message& m) { return m.type == MessageType::kTimeoutNow; };
  CHECK(cluster[1].raft->propose_conf_change(ConfChangeV2{
      ConfChangeTransition::kJointExplicit,
      {{ConfChangeType::kRemoveNode, NodeId{3}}, {ConfChangeType::kAddLearnerNode, NodeId{4}}},
      {}}));
  cluster[1].raft->transfer_leader(NodeId{3});
  cluster.settle();
  REQUIRE(cluster[1].raft->conf_state().voters_outgoing.size() == 3);
  CHECK(cluster[1].raft->basic_status().leader_transferee == NodeId{3});
  cluster.tick(1, 10);  // the transfer failed
  REQUIRE(cluster[1].raft->propose_conf_change(ConfChangeV2{}).has_value());
  cluster[1].raft->transfer_leader(NodeId{3});
  cluster.settle();
  CHECK(cluster[1].raft->conf_state().voters_outgoing.empty());
  CHECK(cluster[1].raft->basic_status().leader_transferee == kNoNode);
}

TEST_CASE("a smaller quorum commits at once what waited for the larger one") {
  Cluster cluster(3);
  cluster.campaign(1);
  CHECK(cluster[1].raft->propose_conf_change(change(ConfChangeType::kRemoveNode, 3)));
  cluster.drop = [&](const Message& m) {
    return m.type == MessageType::kAppResp && m.index > Index{5};
  };
  CHECK(cluster[1].raft->propose(bytes("a")).has_value());
  cluster.isolate(3);
  cluster.drop = [](const Message& m) {
    return m.from == NodeId{3} || (m.type == MessageType::kAppResp && m.index > Index{5});
  };
  cluster.settle();
  CHECK(cluster[1].raft->conf_state().voters.size() == 2);
  CHECK(cluster[1].commit() == Index{5});
  CHECK(cluster[1].raft->apply_conf_change(
      ConfChange{0, ConfChangeType::kRemoveNode, NodeId{2}, {}}));
  CHECK(cluster[1].commit() == Index{6});
}

TEST_CASE("new members hear of the log at once, not at the next heartbeat") {
  Cluster cluster(1);
  cluster.campaign(1);
  cluster.add(2);
  cluster.propose(1, "a");
  CHECK(cluster[1].raft->propose_conf_change(change(ConfChangeType::kAddNode, 2)));
  cluster.settle();
  CHECK(cluster[2].applied_text() == "a");
}

TEST_CASE("a follower with a tail of its own commits no more of it than the leader vouched for") {
  Cluster cluster(3);
  cluster.campaign(2);
  cluster.isolate(2);
  cluster.propose(2, "lost");
  cluster.heal();
  Message app = message(MessageType::kApp, 1, 2, 9);
  app.index = Index{4};
  app.log_term = Term{2};
  app.commit = Index{9};
  CHECK(step(cluster[2], app).has_value());
  CHECK(cluster[2].commit() == Index{4});
}
