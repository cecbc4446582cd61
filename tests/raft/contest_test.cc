#include <doctest/doctest.h>

#include "cluster.h"

/// Config::brisk_elections: what shortens elections beyond etcd's rules.
using namespace truss::raft;

namespace {

Config brisk() {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  config.brisk_elections = true;
  return config;
}

Config as_etcd() {
  Config config = brisk();
  config.brisk_elections = false;
  return config;
}

std::size_t count(const std::vector<Message>& sent, MessageType type, std::uint64_t from) {
  std::size_t n = 0;
  for (const Message& m : sent) n += m.type == type && m.from == NodeId{from} ? 1 : 0;
  return n;
}

/// 1 and 2 stand in the same term, 3 is dead.
void split_vote(Cluster& cluster) {
  cluster.drop = [](const Message& m) { return m.to == NodeId{3}; };
  cluster[1].raft->campaign();
  cluster[2].raft->campaign();
  cluster.settle();
  REQUIRE(cluster[1].role() == Role::kCandidate);
  REQUIRE(cluster[2].role() == Role::kCandidate);
  REQUIRE(cluster[1].term() == cluster[2].term());
}

/// 3 led and had an entry that only 1 knows; then it died.
void leave_one_ahead(Cluster& cluster) {
  cluster.campaign(3);
  cluster.drop = [](const Message& m) { return m.to == NodeId{2}; };
  REQUIRE(cluster[3].raft->propose(bytes("x")).has_value());
  cluster.settle();
  REQUIRE(cluster[1].last() == cluster[2].last() + 1);
  cluster.isolate(3);
}

/// Ticks that 1 and 2 take together until one of them leads; at most 40.
std::size_t ticks_to_leader(Cluster& cluster) {
  std::size_t ticks = 0;
  const auto leads = [&](std::uint64_t id) { return cluster[id].role() == Role::kLeader; };
  for (; ticks < 40 && !leads(1) && !leads(2); ++ticks) {
    cluster.tick(1);
    cluster.tick(2);
  }
  return ticks;
}

}  // namespace

TEST_CASE(
    "after a split vote one candidate stands again at once: here the one with the higher id") {
  Cluster cluster(3, brisk());
  split_vote(cluster);
  CHECK(ticks_to_leader(cluster) <= 2);
  CHECK(cluster.leader() == 2);
  CHECK(cluster[2].term() == Term{3});
}

TEST_CASE("without the option both candidates wait a time-out") {
  Cluster cluster(3, as_etcd());
  split_vote(cluster);
  CHECK(ticks_to_leader(cluster) >= 10);
}

TEST_CASE("of two candidates the one with more of the log stands again, whatever the ids") {
  Cluster cluster(3, brisk());
  leave_one_ahead(cluster);
  for (std::uint64_t id : {1, 2}) cluster[id].raft->campaign();
  cluster.settle();
  CHECK(ticks_to_leader(cluster) <= 2);
  CHECK(cluster.leader() == 1);
}

TEST_CASE("the other candidate stands, too, before its time-out, should the first not") {
  Cluster cluster(3, brisk());
  split_vote(cluster);
  cluster.tick(1, 8);  // 2 hangs
  CHECK(cluster[1].term() == Term{3});
  CHECK(cluster.leader() == 1);
}

TEST_CASE("who refuses a candidate for its log stands soon") {
  for (const bool pre_vote : {false, true}) {
    Config config = brisk();
    config.pre_vote = pre_vote;
    Cluster cluster(3, config);
    leave_one_ahead(cluster);
    for (int i = 0; i < 9; ++i) cluster[1].raft->tick();  // its lease is nearly over
    cluster[1].raft->tick();
    cluster.campaign(2);
    CHECK(ticks_to_leader(cluster) <= 4);
    CHECK(cluster.leader() == 1);
  }
}

TEST_CASE("a lease keeps from standing soon, and so does a vote given in the same term") {
  Cluster cluster(3, brisk());
  leave_one_ahead(cluster);
  cluster.campaign(2);  // 1 still counts on 3
  CHECK(cluster[1].term() == Term{2});
  cluster.tick(1, 4);
  CHECK(cluster[1].role() == Role::kFollower);

  Message good = message(MessageType::kVote, 3, 1, 7);
  good.index = cluster[1].last();
  good.log_term = Term{2};
  cluster[1].raft->tick();
  Cluster fresh(3, brisk());
  good.index = fresh[1].last();
  good.log_term = Term{1};
  fresh.isolate(1);
  REQUIRE(step(fresh[1], good).has_value());
  Message bad = good;
  bad.from = NodeId{2};
  bad.index = Index{1};
  REQUIRE(step(fresh[1], bad).has_value());
  fresh.tick(1, 9);
  CHECK(fresh[1].role() == Role::kFollower);
}

TEST_CASE("a candidate asks again whoever did not answer, and only them") {
  Cluster cluster(3, brisk());
  cluster.drop = [](const Message& m) { return m.to != NodeId{2}; };
  cluster[1].raft->campaign();
  cluster.settle();
  REQUIRE(count(cluster.sent, MessageType::kVote, 1) == 2);
  cluster.tick(1);
  CHECK(count(cluster.sent, MessageType::kVote, 1) == 2);
  cluster.drop = [](const Message& m) { return m.to == NodeId{3} || m.from == NodeId{3}; };
  cluster.tick(1);
  CHECK(count(cluster.sent, MessageType::kVote, 1) == 4);
  CHECK(cluster.leader() == 1);
  CHECK(cluster[1].term() == Term{2});
}

TEST_CASE("requests of a candidate that a transfer chose stay above leases when repeated") {
  Cluster cluster(3, brisk());
  cluster.campaign(1);
  cluster.drop = [](const Message& m) { return m.type == MessageType::kVote; };
  cluster[1].raft->transfer_leader(NodeId{2});
  cluster.settle();
  REQUIRE(cluster[2].role() == Role::kCandidate);
  cluster.heal();
  cluster.tick(2, 2);
  CHECK(cluster.leader() == 2);
}

TEST_CASE("a deaf leader steps down a time-out after the last answers, and names an heir") {
  Cluster cluster(3, brisk());
  cluster.campaign(1);
  cluster.drop = [](const Message& m) { return m.to == NodeId{3}; };
  cluster.propose(1, "x");  // 2 has more than 3
  cluster.heal();
  for (std::uint64_t lead = 0; lead < 5; ++lead) cluster.tick(1);  // amid a period of etcd's check
  cluster.drop = [](const Message& m) { return m.to == NodeId{1} && m.from != NodeId{1}; };
  cluster.tick(1, 9);
  CHECK(cluster[1].role() == Role::kLeader);
  cluster.sent.clear();
  cluster.tick(1);
  CHECK(cluster[1].role() == Role::kFollower);
  CHECK(cluster[1].raft->basic_status().stepped_down == StepDownReason::kNoQuorum);
  CHECK(count(cluster.sent, MessageType::kTimeoutNow, 1) == 1);
  CHECK(cluster.leader() != 1);
  CHECK(cluster.leader() != 0);
}

TEST_CASE("one answering follower of two keeps a leader for ever") {
  Cluster cluster(3, brisk());
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.tick(1, 50);
  CHECK(cluster[1].role() == Role::kLeader);
}

TEST_CASE("a candidate that nobody can hear leaves off standing soon") {
  Cluster cluster(3, brisk());
  split_vote(cluster);
  cluster.drop = [](const Message& m) { return m.from == NodeId{2}; };
  std::size_t terms = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const Term term = cluster[2].term();
    Message rival = message(MessageType::kVote, 1, 2, term.value());
    rival.index = Index{3};
    rival.log_term = Term{1};
    REQUIRE(step(cluster[2], rival).has_value());
    cluster.tick(2, 2);
    terms += cluster[2].term() > term ? 1 : 0;
  }
  CHECK(terms >= 3);
  CHECK(terms <= 5);
}
