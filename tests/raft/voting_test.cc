#include <doctest/doctest.h>

#include "cluster.h"

using namespace truss::raft;

/// Who gets a vote, and who may ask for one: the corners of elections (see election_test.cc for
/// their course). A trio was founded in term 1 with the log 1 1 1.

namespace {

Message ask(MessageType type, std::uint64_t from, std::uint64_t to, std::uint64_t term) {
  Message m = message(type, from, to, term);
  m.index = Index{3};
  m.log_term = Term{1};
  return m;
}

Message vote(std::uint64_t from, std::uint64_t to, std::uint64_t term) {
  return ask(MessageType::kVote, from, to, term);
}

/// Steps `m` and returns the last message that came of it.
Message answer(Cluster& cluster, const Message& m) {
  Member& to = cluster[m.to.value()];
  CHECK(step(to, m).has_value());
  cluster.sent.clear();
  while (to.raft->has_ready()) cluster.handle_ready(to);
  REQUIRE_FALSE(cluster.sent.empty());
  return cluster.sent.back();
}

Config careful() {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  config.pre_vote = true;
  return config;
}

ConfChangeV2 joint(std::initializer_list<ConfChangeSingle> changes) {
  return {ConfChangeTransition::kJointExplicit, changes, {}};
}

}  // namespace

TEST_CASE("a vote is given again to whom it was given, and to nobody else") {
  Cluster cluster(3);
  CHECK_FALSE(answer(cluster, vote(2, 1, 5)).reject);
  CHECK_FALSE(answer(cluster, vote(2, 1, 5)).reject);
  CHECK(answer(cluster, vote(3, 1, 5)).reject);
  CHECK_FALSE(answer(cluster, vote(3, 1, 6)).reject);
}

TEST_CASE("who knows the leader of a term gives no vote in it, and no pre-vote for it") {
  Cluster cluster(3);
  CHECK(step(cluster[1], message(MessageType::kHeartbeat, 2, 1, 5)).has_value());
  REQUIRE(cluster[1].leader() == NodeId{2});
  CHECK(answer(cluster, vote(3, 1, 5)).reject);
  CHECK(answer(cluster, ask(MessageType::kPreVote, 3, 1, 5)).reject);
  CHECK_FALSE(answer(cluster, ask(MessageType::kPreVote, 3, 1, 6)).reject);
}

TEST_CASE("grants carry the term of the question, refusals the own term") {
  Cluster cluster(3);
  const Message granted = answer(cluster, ask(MessageType::kPreVote, 2, 1, 9));
  CHECK(granted.type == MessageType::kPreVoteResp);
  CHECK(granted.term == Term{9});
  CHECK(cluster[1].term() == Term{1});
  Message behind = ask(MessageType::kPreVote, 2, 1, 9);
  behind.index = Index{2};
  const Message refused = answer(cluster, behind);
  CHECK(refused.reject);
  CHECK(refused.term == Term{1});
}

TEST_CASE("a vote resets the election timer, a pre-vote and a refusal do not") {
  for (int kind = 0; kind < 3; ++kind) {
    Cluster cluster(3);
    Member& one = cluster[1];
    CHECK(step(one, message(MessageType::kHeartbeat, 9, 1, 5)).has_value());  // to be in term 5
    one.raft->forget_leader();
    one.raft->set_randomized_election_timeout(10);
    for (int i = 0; i < 9; ++i) one.raft->tick();
    Message m =
        ask(kind == 1 ? MessageType::kPreVote : MessageType::kVote, 2, 1, kind == 1 ? 6 : 5);
    if (kind == 2) m.index = Index{1};
    CHECK(answer(cluster, m).reject == (kind == 2));
    one.raft->tick();
    CHECK((one.role() == Role::kCandidate) == (kind != 0));
  }
}

TEST_CASE("learners vote: they may have been promoted without knowing it") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.add(4);
  CHECK(cluster[1].raft->propose_conf_change(ConfChangeV2{
      ConfChangeTransition::kAuto, {{ConfChangeType::kAddLearnerNode, NodeId{4}}}, {}}));
  cluster.settle();
  Message m = vote(2, 4, 7);
  m.index = cluster[4].last();
  m.log_term = Term{2};
  CHECK_FALSE(answer(cluster, m).reject);
}

TEST_CASE("the lease shields leaders, too, and without an answer") {
  Cluster cluster(3, careful());
  cluster.campaign(1);
  for (std::uint64_t id : {1, 2}) {
    for (MessageType type : {MessageType::kVote, MessageType::kPreVote}) {
      Message m = ask(type, 3, id, 9);
      m.index = Index{100};
      m.log_term = Term{9};
      CHECK(step(cluster[id], m).has_value());
      CHECK_FALSE(cluster[id].raft->has_ready());
      CHECK(cluster[id].term() == Term{2});
    }
  }
  CHECK(cluster[1].role() == Role::kLeader);
}

TEST_CASE("the lease does not shield who has no leader") {
  Cluster cluster(3, careful());
  cluster.campaign(1);
  cluster[2].raft->forget_leader();
  Message m = vote(3, 2, 9);
  m.index = Index{100};
  m.log_term = Term{9};
  CHECK_FALSE(answer(cluster, m).reject);
}

TEST_CASE("a campaign scans all committed entries for conf changes, however small the pages") {
  Config config = Cluster::test_config();
  config.max_committed_size_per_ready = 1;
  Cluster cluster(3, config);
  Member& two = cluster[2];
  Message app = message(MessageType::kApp, 1, 2, 2);
  app.index = Index{3};
  app.log_term = Term{1};
  app.entries = {
      entry(2, 4, "a"), entry(2, 5, "b"), {Term{2}, Index{6}, EntryType::kConfChangeV2, {}}};
  app.commit = Index{6};
  CHECK(step(two, app).has_value());
  two.raft->campaign();
  CHECK(two.role() == Role::kFollower);
}

TEST_CASE("learners and strangers do not stand for election, whatever makes them try") {
  Cluster cluster(1);
  cluster.campaign(1);
  cluster.add(2);
  cluster.add(9);
  CHECK(cluster[1].raft->propose_conf_change(ConfChangeV2{
      ConfChangeTransition::kAuto, {{ConfChangeType::kAddLearnerNode, NodeId{2}}}, {}}));
  cluster.settle();
  for (std::uint64_t id : {2, 9}) {
    cluster[id].raft->campaign();
    cluster.tick(id, 40);
    CHECK(step(cluster[id], message(MessageType::kTimeoutNow, 1, id, 2)).has_value());
    CHECK(cluster[id].role() == Role::kFollower);
  }
}

TEST_CASE("only a follower obeys the call to stand at once") {
  Cluster cluster(3);
  cluster.isolate(1);
  cluster.campaign(1);
  const Term term = cluster[1].term();
  CHECK(step(cluster[1], message(MessageType::kTimeoutNow, 2, 1, term.value())).has_value());
  CHECK(cluster[1].term() == term);
  cluster.heal();
  cluster.campaign(1);
  const Term own = cluster[1].term();
  REQUIRE(cluster.leader() == 1);
  CHECK(step(cluster[1], message(MessageType::kTimeoutNow, 2, 1, own.value())).has_value());
  CHECK(cluster[1].role() == Role::kLeader);
}

TEST_CASE("all voters of both halves are asked once each, by ascending id, learners not at all") {
  Cluster cluster(3);
  cluster.campaign(2);
  for (std::uint64_t id : {4, 5}) cluster.add(id);
  CHECK(
      cluster[2].raft->propose_conf_change(joint({{ConfChangeType::kRemoveNode, NodeId{1}},
                                                  {ConfChangeType::kAddNode, NodeId{4}},
                                                  {ConfChangeType::kAddLearnerNode, NodeId{5}}})));
  cluster.settle();  // (2 3 4)&&(1 2 3) learners=(5)
  cluster.sent.clear();
  cluster.drop = [](const Message&) { return true; };
  cluster.campaign(3);
  std::vector<NodeId> asked;
  for (const Message& m : cluster.sent) {
    if (m.type == MessageType::kVote) asked.push_back(m.to);
  }
  CHECK(asked == std::vector<NodeId>{NodeId{1}, NodeId{2}, NodeId{4}});
}

TEST_CASE("a candidate counts only answers to its own question") {
  Config config = Cluster::test_config();
  config.pre_vote = true;
  Cluster cluster(3, config);
  cluster.drop = [](const Message&) { return true; };
  cluster.campaign(1);
  REQUIRE(cluster[1].role() == Role::kPreCandidate);
  CHECK(step(cluster[1], message(MessageType::kVoteResp, 2, 1, 1)).has_value());
  CHECK(cluster[1].role() == Role::kPreCandidate);
  CHECK(step(cluster[1], message(MessageType::kPreVoteResp, 2, 1, 2)).has_value());
  CHECK(cluster[1].role() == Role::kCandidate);
  CHECK(step(cluster[1], message(MessageType::kPreVoteResp, 3, 1, 2)).has_value());
  CHECK(cluster[1].role() == Role::kCandidate);
  CHECK(cluster[1].term() == Term{2});
}

TEST_CASE("a candidate follows whoever leads its term") {
  for (MessageType type : {MessageType::kApp, MessageType::kHeartbeat}) {
    Cluster cluster(3);
    cluster.drop = [](const Message&) { return true; };
    cluster.campaign(1);
    Message m = message(type, 3, 1, 2);
    m.index = type == MessageType::kApp ? Index{3} : Index{};
    m.log_term = type == MessageType::kApp ? Term{1} : Term{};
    CHECK(answer(cluster, m).to == NodeId{3});
    CHECK(cluster[1].role() == Role::kFollower);
    CHECK(cluster[1].leader() == NodeId{3});
  }
}

TEST_CASE("a pre-candidate keeps its vote and its leader's lease keeps running") {
  Config config = Cluster::test_config();
  config.pre_vote = true;
  Cluster cluster(3, config);
  CHECK_FALSE(answer(cluster, vote(2, 1, 5)).reject);
  cluster.drop = [](const Message&) { return true; };
  cluster.campaign(1);
  REQUIRE(cluster[1].role() == Role::kPreCandidate);
  CHECK(cluster[1].raft->basic_status().hard_state ==
        HardState{Term{5}, NodeId{2}, cluster[1].commit()});
}

TEST_CASE("a leader of a joint configuration needs both halves to be active") {
  Cluster cluster(3, careful());
  cluster.campaign(1);
  for (std::uint64_t id : {4, 5}) cluster.add(id, careful());
  CHECK(cluster[1].raft->propose_conf_change(joint({{ConfChangeType::kRemoveNode, NodeId{2}},
                                                    {ConfChangeType::kRemoveNode, NodeId{3}},
                                                    {ConfChangeType::kAddNode, NodeId{4}},
                                                    {ConfChangeType::kAddNode, NodeId{5}}})));
  cluster.settle();  // (1 4 5)&&(1 2 3)
  SUBCASE("with both it stays") {}
  SUBCASE("without the old half it steps down") {
    cluster.drop = [](const Message& m) { return m.from == NodeId{2} || m.from == NodeId{3}; };
  }
  SUBCASE("without the new half it steps down") {
    cluster.drop = [](const Message& m) { return m.from == NodeId{4} || m.from == NodeId{5}; };
  }
  cluster.tick(1, 20);
  CHECK((cluster[1].role() == Role::kLeader) == !cluster.drop);
}

TEST_CASE("a leader that finds itself without a quorum sends no heartbeat any more") {
  Config config = careful();
  config.heartbeat_tick = 5;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.isolate(1);
  cluster.tick(1, 19);
  REQUIRE(cluster[1].role() == Role::kLeader);
  cluster.sent.clear();
  cluster.tick(1);
  CHECK(cluster[1].role() == Role::kFollower);
  CHECK(cluster.sent.empty());
}
