#include <doctest/doctest.h>

#include "cluster.h"

using namespace truss::raft;

/// Linearizable reads.

namespace {

Config safe_reads() { return Cluster::test_config(); }

Config lease_reads() {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  config.read_mode = ReadMode::kLease;
  return config;
}

}  // namespace

TEST_CASE("a read costs one round of heartbeats, on the leader and on followers alike") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  cluster.propose(1, "a");
  for (std::uint64_t id : {1, 2}) {
    cluster[id].raft->read_index(bytes("r"));
    cluster.settle();
    REQUIRE(cluster[id].reads.size() == 1);
    CHECK(cluster[id].reads[0] == ReadState{cluster[1].commit(), bytes("r")});
  }
}

TEST_CASE("a read waits for a quorum that answers after it was asked") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  cluster.isolate(1);
  cluster[1].raft->read_index(bytes("r"));
  cluster.settle();
  CHECK(cluster[1].reads.empty());
  cluster.heal();
  cluster.tick(1);  // the next heartbeat carries it again
  CHECK(cluster[1].reads.size() == 1);
}

TEST_CASE("one round releases all reads up to its position, in order") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  cluster.isolate(1);
  for (const char* context : {"r1", "r2", "r3"}) cluster[1].raft->read_index(bytes(context));
  cluster.settle();
  cluster.heal();
  cluster.tick(1);
  REQUIRE(cluster[1].reads.size() == 3);
  CHECK(cluster[1].reads[0].context == bytes("r1"));
  CHECK(cluster[1].reads[2].context == bytes("r3"));
}

TEST_CASE("the same context twice is two reads: an old answer releases only the old one") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  cluster.isolate(1);
  cluster[1].raft->read_index(bytes("same"));
  cluster.handle_ready(cluster[1]);
  Message old_answer = message(MessageType::kHeartbeatResp, 2, 1, 2);
  for (const Message& m : cluster.sent) {
    if (m.type == MessageType::kHeartbeat) old_answer.context = m.context;
  }
  cluster[1].raft->read_index(bytes("same"));
  CHECK(step(cluster[1], old_answer).has_value());
  cluster.settle();
  CHECK(cluster[1].reads.size() == 1);
}

TEST_CASE("answers with contexts of another shape, or from the future, release nothing") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  cluster.isolate(1);
  cluster[1].raft->read_index(bytes("r"));
  for (const char* context : {"", "short", "\xff\xff\xff\xff\xff\xff\xff\xff", "longer than 8"}) {
    Message answer = message(MessageType::kHeartbeatResp, 2, 1, 2);
    answer.context = bytes(context);
    CHECK(step(cluster[1], answer).has_value());
  }
  cluster.settle();
  CHECK(cluster[1].reads.empty());
}

TEST_CASE("a new leader parks reads until its first commit, even as the only voter") {
  for (std::size_t members : {1, 3}) {
    Cluster cluster(members, safe_reads());
    cluster[1].raft->campaign();
    cluster.handle_ready(cluster[1]);
    if (members == 3) CHECK(step(cluster[1], message(MessageType::kVoteResp, 2, 1, 2)).has_value());
    REQUIRE(cluster[1].role() == Role::kLeader);
    cluster.queue.clear();
    cluster[1].raft->read_index(bytes("r"));
    CHECK(cluster[1].reads.empty());
    cluster.settle();
    cluster.tick(1);
    REQUIRE(cluster[1].reads.size() == 1);
    CHECK(cluster[1].reads[0].index == cluster[1].commit());
  }
}

TEST_CASE("in lease mode a read is answered at once") {
  Cluster cluster(3, lease_reads());
  cluster.campaign(1);
  cluster.isolate(1);
  cluster[1].raft->read_index(bytes("r"));
  cluster.settle();
  CHECK(cluster[1].reads.size() == 1);
}

TEST_CASE("reads without a leader, or malformed ones, get no answer") {
  Cluster cluster(3, safe_reads());
  cluster[1].raft->read_index(bytes("r"));
  cluster.settle();
  CHECK(cluster[1].reads.empty());
  cluster.campaign(1);
  Message empty = message(MessageType::kReadIndex, 2, 1, 0);
  CHECK(step(cluster[1], empty).error() == Refusal::kMalformed);
}

TEST_CASE("a read is of the state that was committed when it was asked for") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  cluster.drop = [](const Message& m) { return m.type == MessageType::kHeartbeatResp; };
  cluster[1].raft->read_index(bytes("r"));
  cluster.settle();
  const Index asked = cluster[1].commit();
  cluster.propose(1, "later");
  REQUIRE(cluster[1].commit() == asked + 1);
  cluster.heal();
  cluster.tick(1);
  REQUIRE(cluster[1].reads.size() == 1);
  CHECK(cluster[1].reads[0].index == asked);
}

TEST_CASE("a joint configuration confirms reads by both halves") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  for (std::uint64_t id : {4, 5}) cluster.add(id);
  const ConfChangeV2 change{ConfChangeTransition::kJointExplicit,
                            {{ConfChangeType::kRemoveNode, NodeId{2}},
                             {ConfChangeType::kRemoveNode, NodeId{3}},
                             {ConfChangeType::kAddNode, NodeId{4}},
                             {ConfChangeType::kAddNode, NodeId{5}}},
                            {}};
  CHECK(cluster[1].raft->propose_conf_change(change).has_value());
  cluster.settle();  // (1 4 5)&&(1 2 3)
  for (std::uint64_t silent : {2, 4}) {
    cluster[1].reads.clear();
    cluster.drop = [silent](const Message& m) {
      return m.from == NodeId{silent} || m.from == NodeId{silent + 1};
    };
    cluster[1].raft->read_index(bytes("r"));
    cluster.tick(1);
    CHECK(cluster[1].reads.empty());
    cluster.heal();
    cluster.tick(1);
    CHECK(cluster[1].reads.size() == 1);
  }
}

TEST_CASE("learners confirm no reads") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  cluster.add(4);
  CHECK(cluster[1].raft->propose_conf_change(
      ConfChange{0, ConfChangeType::kAddLearnerNode, NodeId{4}, {}}));
  cluster.settle();
  cluster.drop = [](const Message& m) { return m.from == NodeId{2} || m.from == NodeId{3}; };
  cluster[1].raft->read_index(bytes("r"));
  cluster.tick(1);
  CHECK(cluster[1].reads.empty());
}

TEST_CASE("a read of a node that another handed on is answered to the first") {
  Cluster cluster(3, safe_reads());
  cluster.campaign(1);
  Message read = message(MessageType::kReadIndex, 3, 2, 0);
  read.entries = {entry(0, 0, "r")};
  CHECK(step(cluster[2], read).has_value());
  cluster.settle();
  CHECK(cluster[2].reads.empty());
  REQUIRE(cluster[3].reads.size() == 1);
  CHECK(cluster[3].reads[0].context == bytes("r"));
}

TEST_CASE("in lease mode the leader is not forgotten, in safe mode it is") {
  for (bool lease : {false, true}) {
    Cluster cluster(3, lease ? lease_reads() : safe_reads());
    cluster.campaign(1);
    cluster[2].raft->forget_leader();
    CHECK((cluster[2].leader() == NodeId{1}) == lease);
    cluster[1].raft->forget_leader();
    CHECK(cluster[1].role() == Role::kLeader);
  }
}
