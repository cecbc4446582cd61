#include <doctest/doctest.h>

#include "cluster.h"

using namespace truss::raft;

/// Membership changes, from their proposal to their effect.

TEST_CASE("conf changes refused for their moment become empty entries") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& one = cluster[1];
  const ConfChange add{0, ConfChangeType::kAddLearnerNode, NodeId{4}, {}};
  CHECK(one.raft->propose_conf_change(add).has_value());
  CHECK(one.raft->propose_conf_change(add).has_value());  // another one is pending
  cluster.settle();
  CHECK(one.raft->propose_conf_change(ConfChangeV2{}).has_value());  // not joint: nothing to leave
  cluster.settle();
  const auto type = [&](std::size_t from_end) {
    return one.applied[one.applied.size() - from_end].type;
  };
  CHECK(type(3) == EntryType::kConfChange);
  CHECK(type(2) == EntryType::kNormal);
  CHECK(type(1) == EntryType::kNormal);
  CHECK(one.raft->conf_state().learners == std::vector<NodeId>{NodeId{4}});
}

TEST_CASE("a conf change that can't be made is an error, and the configuration stays") {
  Cluster cluster(1);
  const ConfState before = cluster[1].raft->conf_state();
  const auto refused =
      cluster[1].raft->apply_conf_change(ConfChange{0, ConfChangeType::kRemoveNode, NodeId{1}, {}});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message == "removed all voters");
  CHECK(cluster[1].raft->conf_state() == before);
}

TEST_CASE("a leader that removed itself refuses proposals, or steps down if asked to") {
  for (bool step_down : {false, true}) {
    Config config = Cluster::test_config();
    config.step_down_on_removal = step_down;
    Cluster cluster(3, config);
    cluster.campaign(1);
    const ConfChange remove{0, ConfChangeType::kRemoveNode, NodeId{1}, {}};
    CHECK(cluster[1].raft->propose_conf_change(remove).has_value());
    cluster.settle();
    CHECK(cluster[1].role() == (step_down ? Role::kFollower : Role::kLeader));
    const Refusal why = step_down ? Refusal::kNoLeader : Refusal::kNotMember;
    CHECK(cluster[1].raft->propose(bytes("a")).error() == why);
    cluster[1].raft->campaign();
    CHECK(cluster[1].role() == (step_down ? Role::kFollower : Role::kLeader));
  }
}

TEST_CASE("a joint change leaves by itself, unless it is explicit") {
  for (auto transition : {ConfChangeTransition::kAuto, ConfChangeTransition::kJointExplicit}) {
    Cluster cluster(3);
    cluster.campaign(1);
    ConfChangeV2 change;
    change.transition = transition;
    change.changes = {{ConfChangeType::kRemoveNode, NodeId{2}},
                      {ConfChangeType::kAddNode, NodeId{4}}};
    cluster.add(4);
    CHECK(cluster[1].raft->propose_conf_change(change).has_value());
    cluster.settle();
    const bool stays = transition == ConfChangeTransition::kJointExplicit;
    CHECK(cluster[1].raft->conf_state().voters_outgoing.empty() == !stays);
    if (stays) {
      CHECK(cluster[1].raft->propose_conf_change(ConfChangeV2{}).has_value());
      cluster.settle();
    }
    CHECK(cluster[4].raft->conf_state() == cluster[1].raft->conf_state());
    CHECK(cluster[4].raft->conf_state().voters ==
          std::vector<NodeId>{NodeId{1}, NodeId{3}, NodeId{4}});
  }
}

TEST_CASE("in a joint configuration both halves must agree, to commit and to elect") {
  struct Case {
    std::uint64_t dead[2];
    std::uint64_t challenger;
  };
  for (const Case& c : {Case{{2, 3}, 4}, Case{{4, 5}, 2}}) {
    Cluster cluster(3);
    cluster.campaign(1);
    for (std::uint64_t id : {4, 5}) cluster.add(id);
    ConfChangeV2 change;
    change.transition = ConfChangeTransition::kJointExplicit;
    for (std::uint64_t id : {2, 3}) {
      change.changes.push_back({ConfChangeType::kRemoveNode, NodeId{id}});
    }
    for (std::uint64_t id : {4, 5})
      change.changes.push_back({ConfChangeType::kAddNode, NodeId{id}});
    CHECK(cluster[1].raft->propose_conf_change(change).has_value());
    cluster.settle();  // (1 4 5)&&(1 2 3)
    cluster.drop = [&c](const Message& m) {
      const auto dead = [&c](NodeId id) {
        return id == NodeId{c.dead[0]} || id == NodeId{c.dead[1]};
      };
      return dead(m.from) || dead(m.to);
    };
    const Index before = cluster[1].commit();
    CHECK(cluster[1].raft->propose(bytes("x")).has_value());
    cluster.settle();
    CHECK(cluster[1].commit() == before);
    cluster.campaign(c.challenger);
    CHECK(cluster[c.challenger].role() == Role::kCandidate);
    cluster.heal();
    cluster.campaign(c.challenger);
    CHECK(cluster[c.challenger].role() == Role::kLeader);
    CHECK(cluster[1].commit() > before);
  }
}

TEST_CASE("a leader leaves a joint configuration once, when all before it is applied") {
  Config config = Cluster::test_config();
  config.max_committed_size_per_ready = 1;
  Cluster cluster(3, config);
  cluster.campaign(1);
  ConfChangeV2 change;
  change.transition = ConfChangeTransition::kJointImplicit;
  change.changes = {{ConfChangeType::kAddLearnerNode, NodeId{4}}};
  // 2 applies the change and gets a tail, but never the leader's wish to leave.
  cluster.drop = [](const Message& m) {
    return m.from == NodeId{1} && m.type == MessageType::kApp && !m.entries.empty() &&
           m.entries.back().type == EntryType::kConfChangeV2 && m.entries.back().data.size() <= 2;
  };
  CHECK(cluster[1].raft->propose_conf_change(change).has_value());
  cluster.settle();
  REQUIRE_FALSE(cluster[2].raft->conf_state().voters_outgoing.empty());
  cluster.isolate(1);
  Message app = message(MessageType::kApp, 1, 2, 2);
  app.index = cluster[2].last();
  app.log_term = Term{2};
  for (int i = 1; i <= 3; ++i) app.entries.push_back(entry(2, app.index.value() + i, "tail"));
  CHECK(step(cluster[2], app).has_value());
  const Index tail = cluster[2].last();
  cluster.campaign(2);
  REQUIRE(cluster.leader() == 2);
  CHECK(cluster[2].raft->conf_state().voters_outgoing.empty());
  CHECK(cluster[2].last() == tail + 2);  // the empty entry of the term, and the leave
}

TEST_CASE("learners do not count for a commit") {
  Cluster cluster(3);
  cluster.campaign(1);
  for (std::uint64_t id : {4, 5}) {
    cluster.add(id);
    CHECK(cluster[1].raft->propose_conf_change(
        ConfChange{0, ConfChangeType::kAddLearnerNode, NodeId{id}, {}}));
    cluster.settle();
  }
  cluster.drop = [](const Message& m) { return m.from == NodeId{2} || m.from == NodeId{3}; };
  const Index before = cluster[1].commit();
  cluster.propose(1, "x");
  CHECK(cluster[1].peer(4).progress.match > before);
  CHECK(cluster[1].commit() == before);
}

TEST_CASE("who is demoted in a joint change keeps its vote until the change is left") {
  Cluster cluster(3);
  cluster.campaign(1);
  const ConfChangeV2 demote{
      ConfChangeTransition::kJointExplicit, {{ConfChangeType::kAddLearnerNode, NodeId{3}}}, {}};
  CHECK(cluster[1].raft->propose_conf_change(demote).has_value());
  cluster.settle();
  CHECK(cluster[1].raft->conf_state().learners_next == std::vector<NodeId>{NodeId{3}});
  cluster.campaign(3);
  CHECK(cluster.leader() == 3);
  CHECK(cluster[3].raft->propose_conf_change(ConfChangeV2{}).has_value());
  cluster.settle();
  CHECK(cluster[3].raft->conf_state().learners == std::vector<NodeId>{NodeId{3}});
  CHECK(cluster[3].role() == Role::kLeader);  // until somebody else stands, as in etcd
}
