#include <doctest/doctest.h>

#include "cluster.h"

using namespace truss::raft;

namespace {

Config with_pre_vote() {
  Config config = Cluster::test_config();
  config.pre_vote = true;
  return config;
}

Config with_check_quorum() {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  return config;
}

std::size_t count(const std::vector<Message>& sent, MessageType type) {
  std::size_t n = 0;
  for (const Message& m : sent) n += m.type == type ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE("a single voter is a candidate until its own vote is durable") {
  Cluster cluster(1);
  Member& one = cluster[1];
  one.raft->campaign();
  CHECK(one.role() == Role::kCandidate);
  cluster.handle_ready(one);
  CHECK(one.role() == Role::kLeader);
  CHECK(one.storage.hard_state().vote == NodeId{1});
}

TEST_CASE("a majority of votes elects, and the new leader commits an empty entry of its term") {
  Cluster cluster(3);
  cluster.campaign(2);
  CHECK(cluster.leader() == 2);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    CHECK(cluster[id].leader() == NodeId{2});
    CHECK(cluster[id].commit() == Index{4});  // three founding entries and the empty one
    CHECK(cluster[id].applied.back().term == Term{2});
  }
}

TEST_CASE("each term has one vote: the second candidate of a term is refused") {
  Cluster cluster(3);
  Member& one = cluster[1];
  Message ask = message(MessageType::kVote, 2, 1, 5);
  ask.index = Index{3};
  ask.log_term = Term{1};
  CHECK(step(one, ask).has_value());
  ask.from = NodeId{3};
  CHECK(step(one, ask).has_value());
  cluster.handle_ready(one);
  REQUIRE(cluster.sent.size() == 2);
  CHECK_FALSE(cluster.sent[0].reject);
  CHECK(cluster.sent[1].reject);
  CHECK(one.storage.hard_state() == HardState{Term{5}, NodeId{2}, Index{3}});
}

TEST_CASE("a candidate whose log is behind gets no vote") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.propose(1, "a");
  cluster.heal();
  cluster[3].raft->campaign();
  cluster.settle();
  CHECK(cluster[3].role() == Role::kFollower);
  CHECK(cluster.leader() == 0);  // but the higher term stopped the leader
  cluster.campaign(2);
  CHECK(cluster.leader() == 2);
  CHECK(cluster[3].applied_text() == "a");
}

TEST_CASE("a lost election leaves a follower of the same term without leader") {
  Cluster cluster(3);
  Member& one = cluster[1];
  one.raft->campaign();
  cluster.handle_ready(one);
  cluster.queue.clear();
  for (std::uint64_t voter : {2, 3}) {
    Message no = message(MessageType::kVoteResp, voter, 1, one.term().value());
    no.reject = true;
    CHECK(step(one, no).has_value());
  }
  CHECK(one.role() == Role::kFollower);
  CHECK(one.leader() == kNoNode);
  CHECK(one.term() == Term{2});
}

TEST_CASE("only the first answer of a voter counts") {
  Cluster cluster(3);
  Member& one = cluster[1];
  one.raft->campaign();
  cluster.queue.clear();
  Message answer = message(MessageType::kVoteResp, 2, 1, 2);
  answer.reject = true;
  CHECK(step(one, answer).has_value());
  answer.reject = false;
  CHECK(step(one, answer).has_value());
  cluster.handle_ready(one);  // our own vote: one yes, one no, one missing
  CHECK(one.role() == Role::kCandidate);
}

TEST_CASE("a follower stands for election between one and two election time-outs") {
  std::size_t earliest = 100;
  std::size_t latest = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Member member(Cluster::test_config(), seed);
    member.config.id = NodeId{1};
    Snapshot start;
    start.metadata = {{{NodeId{1}, NodeId{2}}, {}, {}, {}, false}, Index{5}, Term{1}};
    REQUIRE(member.storage.apply_snapshot(start).has_value());
    member.conf_state = start.metadata.conf_state;
    member.start(Index{5});
    std::size_t ticks = 0;
    while (member.role() == Role::kFollower) {
      member.raft->tick();
      ++ticks;
    }
    earliest = std::min(earliest, ticks);
    latest = std::max(latest, ticks);
  }
  CHECK(earliest == 10);
  CHECK(latest == 19);
}

TEST_CASE("a pre-vote asks with the next term and changes nothing, here or there") {
  Cluster cluster(3, with_pre_vote());
  cluster.campaign(1);
  cluster.sent.clear();
  const Term term = cluster[1].term();
  cluster.isolate(3);
  cluster[3].raft->campaign();
  cluster.settle();
  CHECK(cluster[3].role() == Role::kPreCandidate);
  CHECK(cluster[3].term() == term);
  CHECK(cluster.sent.front().type == MessageType::kPreVote);
  CHECK(cluster.sent.front().term == term + 1);
  cluster.heal();
  cluster.tick(1);  // a heartbeat calls it back
  CHECK(cluster[3].role() == Role::kFollower);
  CHECK(cluster.leader() == 1);
  CHECK(cluster[1].term() == term);
}

TEST_CASE("a pre-candidate with a quorum goes on to a real election") {
  Cluster cluster(3, with_pre_vote());
  cluster.campaign(2);
  CHECK(cluster.leader() == 2);
  CHECK(count(cluster.sent, MessageType::kPreVote) == 2);
  CHECK(count(cluster.sent, MessageType::kVote) == 2);
}

TEST_CASE("a refused pre-vote carries the refuser's term, and the asker learns it") {
  Cluster cluster(3, with_pre_vote());
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.campaign(2);
  cluster.campaign(1);
  const Term now = cluster[1].term();
  cluster.heal();
  Message lagging = message(MessageType::kPreVote, 3, 1, 2);
  CHECK(step(cluster[1], lagging).has_value());
  cluster.settle();
  CHECK(cluster[3].term() == now);
}

TEST_CASE("without a quorum that answers a leader steps down after one election time-out") {
  Cluster cluster(3, with_check_quorum());
  cluster.campaign(1);
  cluster.tick(1, 10);
  CHECK(cluster[1].role() == Role::kLeader);
  cluster.isolate(1);
  cluster.tick(1, 10);  // everybody was active before
  cluster.tick(1, 10);
  CHECK(cluster[1].role() == Role::kFollower);
  CHECK(cluster[1].term() == Term{2});
  CHECK(cluster[1].leader() == kNoNode);
}

TEST_CASE("while the leader was heard, its lease shields followers from votes, but not transfers") {
  Cluster cluster(3, with_check_quorum());
  cluster.campaign(1);
  cluster.sent.clear();
  Message ask = message(MessageType::kVote, 3, 2, 9);
  ask.index = Index{100};
  ask.log_term = Term{9};
  CHECK(step(cluster[2], ask).has_value());
  cluster.settle();
  CHECK(cluster.sent.empty());  // no answer at all
  CHECK(cluster[2].term() == Term{2});
  ask.context = bytes("CampaignTransfer");
  CHECK(step(cluster[2], ask).has_value());
  cluster.handle_ready(cluster[2]);
  CHECK(cluster[2].term() == Term{9});
}

TEST_CASE("the lease ends with the election time-out") {
  Cluster cluster(3, with_check_quorum());
  cluster.campaign(1);
  cluster[2].raft->set_randomized_election_timeout(100);
  cluster.tick(2, 10);
  Message ask = message(MessageType::kVote, 3, 2, 9);
  ask.index = Index{100};
  ask.log_term = Term{9};
  CHECK(step(cluster[2], ask).has_value());
  CHECK(cluster[2].term() == Term{9});
}

TEST_CASE("an old leader is told the newer term where it could not learn it by votes") {
  Cluster cluster(3, with_check_quorum());
  cluster.campaign(1);
  cluster.sent.clear();
  CHECK(step(cluster[1], message(MessageType::kHeartbeat, 2, 1, 1)).has_value());
  CHECK(step(cluster[1], message(MessageType::kSnap, 2, 1, 1)).error() == Refusal::kMalformed);
  cluster.handle_ready(cluster[1]);
  REQUIRE(cluster.sent.size() == 1);
  CHECK(cluster.sent[0].type == MessageType::kAppResp);
  CHECK(cluster.sent[0].term == Term{2});
  CHECK(cluster.sent[0].index == Index{});
}

TEST_CASE("leadership moves to a peer that has everything, at once and without pre-vote") {
  Config config = with_pre_vote();
  config.check_quorum = true;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.sent.clear();
  cluster[1].raft->transfer_leader(NodeId{3});
  cluster.settle();
  CHECK(cluster.leader() == 3);
  CHECK(count(cluster.sent, MessageType::kPreVote) == 0);
}

TEST_CASE("a transfer first brings its target up to date") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.propose(1, "a");
  cluster.heal();
  cluster[1].raft->report_unreachable(NodeId{3});
  cluster[1].raft->transfer_leader(NodeId{3});
  cluster.settle();
  CHECK(cluster.leader() == 3);
  CHECK(cluster[3].applied_text() == "a");
}

TEST_CASE("a transfer to a dead target refuses proposals, and is dropped after a time-out") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.propose(1, "a");
  cluster[1].raft->transfer_leader(NodeId{3});
  CHECK(cluster[1].raft->basic_status().leader_transferee == NodeId{3});
  CHECK(cluster[1].raft->propose(bytes("b")).error() == Refusal::kTransferring);
  cluster.tick(1, 10);
  CHECK(cluster[1].raft->basic_status().leader_transferee == kNoNode);
  cluster.propose(1, "b");
  CHECK(cluster[2].applied_text() == "a b");
}

TEST_CASE("transfers to itself, to learners and to strangers are ignored") {
  Cluster cluster(3);
  cluster.campaign(1);
  CHECK(
      cluster[1]
          .raft->propose_conf_change(ConfChange{0, ConfChangeType::kAddLearnerNode, NodeId{4}, {}})
          .has_value());
  cluster.add(4);
  cluster.settle();
  for (std::uint64_t target : {1, 4, 9}) {
    cluster[1].raft->transfer_leader(NodeId{target});
    CHECK(cluster[1].raft->basic_status().leader_transferee == kNoNode);
  }
}

TEST_CASE("a transfer asked of a follower is forwarded to the leader") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster[2].raft->transfer_leader(NodeId{3});
  cluster.settle();
  CHECK(cluster.leader() == 3);
}

TEST_CASE("nobody campaigns over a committed conf change that is not applied yet") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& two = cluster[2];
  Message app = message(MessageType::kApp, 1, 2, 2);
  app.index = Index{4};
  app.log_term = Term{2};
  app.entries = {{Term{2}, Index{5}, EntryType::kConfChangeV2, {}}};
  app.commit = Index{5};
  CHECK(step(two, app).has_value());
  two.raft->campaign();
  CHECK(two.role() == Role::kFollower);
}
