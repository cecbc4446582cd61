#include <doctest/doctest.h>

#include "cluster.h"
#include "truss/raft/codec.h"

using namespace truss::raft;

namespace {

/// What `leader` sends to `to` now, without delivering it.
std::vector<Message> outgoing(Cluster& cluster, std::uint64_t leader, std::uint64_t to) {
  cluster.sent.clear();
  while (cluster[leader].raft->has_ready()) cluster.handle_ready(cluster[leader]);
  std::vector<Message> out;
  for (Message& m : cluster.sent) {
    if (m.to == NodeId{to}) out.push_back(m);
  }
  return out;
}

Message accepted(std::uint64_t from, std::uint64_t term, std::uint64_t index) {
  Message m = message(MessageType::kAppResp, from, 1, term);
  m.index = Index{index};
  return m;
}

}  // namespace

TEST_CASE("an entry is committed by a majority and applied everywhere, in order") {
  Cluster cluster(5);
  cluster.campaign(1);
  for (const char* word : {"a", "b", "c"}) cluster.propose(1, word);
  for (std::uint64_t id = 1; id <= 5; ++id) CHECK(cluster[id].applied_text() == "a b c");
}

TEST_CASE("a follower forwards proposals, unless told not to; without a leader they are dropped") {
  Config config = Cluster::test_config();
  Cluster cluster(3, config);
  CHECK(cluster[2].raft->propose(bytes("x")).error() == Refusal::kNoLeader);
  cluster.campaign(1);
  cluster.propose(2, "a");
  CHECK(cluster[3].applied_text() == "a");

  config.disable_proposal_forwarding = true;
  Cluster strict(3, config);
  strict.campaign(1);
  CHECK(strict[2].raft->propose(bytes("a")).error() == Refusal::kForwardingOff);
}

TEST_CASE("several words in one proposal become entries in a row, of one message") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.sent.clear();
  truss::SharedBytes words[] = {bytes("a"), bytes("b"), bytes("c")};
  CHECK(cluster[1].raft->propose(words).has_value());
  const auto sent = outgoing(cluster, 1, 2);
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].entries.size() == 3);
  cluster.settle();
  CHECK(cluster[2].applied_text() == "a b c");
}

TEST_CASE("an entry of an earlier term is only committed together with one of the present term") {
  // Raft paper, figure 8. Leader 1 gets "old" onto 2, and nobody learns that it is committed.
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(1);
  CHECK(cluster[1].raft->propose(bytes("old")).has_value());
  cluster.settle();
  const Index old = cluster[1].last();
  // 1 restarts and leads again in term 4; a majority has "old" before its empty entry arrives.
  cluster.heal();
  cluster[1].start(cluster[1].commit());
  cluster[1].raft->campaign();
  cluster.handle_ready(cluster[1]);
  CHECK(step(cluster[1], message(MessageType::kVoteResp, 2, 1, 3)).has_value());
  CHECK(cluster[1].role() == Role::kLeader);
  CHECK(step(cluster[1], accepted(2, 3, old.value())).has_value());
  CHECK(cluster[1].commit() < old);
  CHECK(step(cluster[1], accepted(2, 3, old.value() + 1)).has_value());
  cluster.handle_ready(cluster[1]);
  CHECK(cluster[1].commit() == old + 1);
}

TEST_CASE("uncommitted entries of a deposed leader are replaced") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(1);
  for (const char* word : {"x", "y", "z"}) {
    CHECK(cluster[1].raft->propose(bytes(word)).has_value());
  }
  cluster.settle();
  cluster.campaign(2);
  cluster.propose(2, "a");
  cluster.heal();
  cluster.tick(2);
  for (std::uint64_t id = 1; id <= 3; ++id) CHECK(cluster[id].applied_text() == "a");
  CHECK(cluster[1].last() == cluster[2].last());
}

TEST_CASE("a long wrong tail is skipped by terms, not entry by entry") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(1);
  for (int i = 0; i < 50; ++i) CHECK(cluster[1].raft->propose(bytes("wrong")).has_value());
  cluster.settle();
  cluster.campaign(2);
  for (int i = 0; i < 50; ++i) cluster.propose(2, "right");
  cluster.campaign(3);  // probes at the end of its log
  cluster.heal();
  cluster.sent.clear();
  cluster.tick(3);
  std::size_t refused = 0;
  for (const Message& m : cluster.sent) refused += m.reject ? 1 : 0;
  CHECK(refused == 1);
  CHECK(cluster[1].last() == cluster[2].last());
}

TEST_CASE("a refusal names the probe's index, and the hint with its term") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& two = cluster[2];  // entries 1..3 of term 1 and 4 of term 2
  cluster.sent.clear();
  Message probe = message(MessageType::kApp, 3, 2, 5);
  probe.index = Index{9};
  probe.log_term = Term{1};
  CHECK(step(two, probe).has_value());
  cluster.handle_ready(two);
  REQUIRE(cluster.sent.size() == 1);
  CHECK(cluster.sent[0].reject);
  CHECK(cluster.sent[0].index == Index{9});
  CHECK(cluster.sent[0].reject_hint == Index{3});
  CHECK(cluster.sent[0].log_term == Term{1});
}

TEST_CASE("an append from before the commit index is answered with the commit index") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.sent.clear();
  Message old = message(MessageType::kApp, 1, 2, 2);
  old.index = Index{1};
  old.log_term = Term{1};
  CHECK(step(cluster[2], old).has_value());
  cluster.handle_ready(cluster[2]);
  CHECK_FALSE(cluster.sent[0].reject);
  CHECK(cluster.sent[0].index == Index{4});
}

TEST_CASE("a follower commits no further than the entries it was sent") {
  Cluster cluster(3);
  cluster.campaign(1);
  Message app = message(MessageType::kApp, 1, 2, 2);
  app.index = Index{4};
  app.log_term = Term{2};
  app.commit = Index{10};
  app.entries = {entry(2, 5, "a")};
  CHECK(step(cluster[2], app).has_value());
  CHECK(cluster[2].commit() == Index{5});
}

TEST_CASE("messages hold entries up to the size limit, and at least one") {
  Config config = Cluster::test_config();
  config.max_size_per_message = 2 * encoded_size(entry(2, 5, "a"));
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.isolate(3);
  for (int i = 0; i < 5; ++i) cluster.propose(1, "a");
  cluster.propose(1, std::string(1000, 'b'));
  cluster.heal();
  cluster[1].raft->report_unreachable(NodeId{3});
  cluster.sent.clear();
  cluster.tick(1);
  std::vector<std::size_t> sizes;
  for (const Message& m : cluster.sent) {
    if (m.to == NodeId{3} && !m.entries.empty()) sizes.push_back(m.entries.size());
  }
  CHECK(sizes == std::vector<std::size_t>{2, 2, 1, 1});
  CHECK(cluster[3].last() == cluster[1].last());
}

TEST_CASE("a limit of zero means one entry a message") {
  Config config = Cluster::test_config();
  config.max_size_per_message = 0;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.sent.clear();
  truss::SharedBytes words[] = {bytes("a"), bytes("b")};
  CHECK(cluster[1].raft->propose(words).has_value());
  cluster.settle();
  for (const Message& m : cluster.sent) CHECK(m.entries.size() <= 1);
  CHECK(cluster[3].applied_text() == "a b");
}

TEST_CASE("no more messages than the window takes are under way, by count or by bytes") {
  Config by_count = Cluster::test_config();
  by_count.max_inflight_messages = 2;
  Config by_bytes = Cluster::test_config();
  by_bytes.max_size_per_message = 100;
  by_bytes.max_inflight_bytes = 100;
  for (const Config& config : {by_count, by_bytes}) {
    Cluster cluster(3, config);
    cluster.campaign(1);
    for (int i = 0; i < 4; ++i)
      CHECK(cluster[1].raft->propose(bytes(std::string(50, 'x'))).has_value());
    std::size_t entries = 0;
    for (const Message& m : outgoing(cluster, 1, 2)) entries += m.entries.size();
    CHECK(entries == 2);
    CHECK(cluster[1].peer(2).lag == LagReason::kWindowFull);
    cluster.settle();
    CHECK(cluster[2].last() == cluster[1].last());
  }
}

TEST_CASE("lost messages of a full window are noticed by the answer to a heartbeat") {
  Config config = Cluster::test_config();
  config.max_inflight_messages = 2;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.drop = [](const Message& m) { return m.to == NodeId{3}; };
  for (const char* word : {"a", "b", "c"}) cluster.propose(1, word);
  cluster.heal();
  cluster.tick(1);
  CHECK(cluster[3].applied_text() == "a b c");
}

TEST_CASE("the uncommitted limit refuses proposals, except on an empty tail and without payload") {
  Config config = Cluster::test_config();
  config.max_uncommitted_size = 10;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.isolate(1);
  CHECK(cluster[1].raft->propose(bytes(std::string(100, 'x'))).has_value());
  CHECK(cluster[1].raft->propose(bytes("y")).error() == Refusal::kUncommittedTooBig);
  CHECK(cluster[1].raft->propose(bytes("")).has_value());
  cluster.heal();
  cluster.tick(1);
  CHECK(cluster[1].raft->propose(bytes("y")).has_value());
}

TEST_CASE("committed entries are handed out within their limit, and wait for applied ones") {
  Config config = Cluster::test_config();
  config.max_committed_size_per_ready = 2 * encoded_size(entry(2, 5, "a"));
  Cluster cluster(1, config);
  cluster.campaign(1);
  truss::SharedBytes words[] = {bytes("a"), bytes("b"), bytes("c"), bytes("d"), bytes("e")};
  CHECK(cluster[1].raft->propose(words).has_value());
  std::size_t largest = 0;
  while (cluster[1].raft->has_ready()) {
    const std::size_t before = cluster[1].applied.size();
    cluster.handle_ready(cluster[1]);
    largest = std::max(largest, cluster[1].applied.size() - before);
  }
  CHECK(largest == 2);
  CHECK(cluster[1].applied_text() == "a b c d e");
}

TEST_CASE("a follower behind the compacted log gets the newest snapshot, then entries") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.isolate(3);
  for (const char* word : {"a", "b", "c"}) cluster.propose(1, word);
  Member& leader = cluster[1];
  REQUIRE(leader.storage.create_snapshot(leader.commit() - 1, leader.conf_state, bytes("state"))
              .has_value());
  REQUIRE(leader.storage.compact(leader.commit() - 1).has_value());
  cluster.heal();
  cluster.tick(1);
  CHECK(cluster[3].storage.snapshot()->data == bytes("state"));
  CHECK(cluster[3].applied_text() == "c");
  CHECK(leader.peer(3).progress.state == ProgressState::kReplicate);
}

TEST_CASE("no snapshot goes to a peer that is not heard from") {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  Cluster cluster(3, config);
  cluster.campaign(1);
  cluster.isolate(3);
  cluster.tick(1, 20);
  cluster.propose(1, "a");
  Member& leader = cluster[1];
  REQUIRE(leader.storage.create_snapshot(leader.commit(), leader.conf_state, {}).has_value());
  REQUIRE(leader.storage.compact(leader.commit()).has_value());
  leader.raft->report_unreachable(NodeId{3});
  cluster.sent.clear();
  cluster.propose(1, "b");
  for (const Message& m : cluster.sent) CHECK(m.type != MessageType::kSnap);
  CHECK(leader.peer(3).lag == LagReason::kInactive);
}

TEST_CASE("a snapshot for others, or of what is there already, is not restored") {
  Cluster cluster(3);
  cluster.campaign(1);
  Message snap = message(MessageType::kSnap, 1, 2, 2);
  snap.has_snapshot = true;
  snap.snapshot.metadata = {{{NodeId{1}, NodeId{3}}, {}, {}, {}, false}, Index{50}, Term{2}};
  CHECK(step(cluster[2], snap).has_value());
  CHECK(cluster[2].last() == Index{4});
  snap.snapshot.metadata = {cluster[1].conf_state, Index{4}, Term{2}};
  CHECK(step(cluster[2], snap).has_value());
  CHECK(cluster[2].storage.first_index() == Index{1});
}

TEST_CASE("while a snapshot waits to be stored nothing is applied and no election starts") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& two = cluster[2];
  Message snap = message(MessageType::kSnap, 1, 2, 2);
  snap.has_snapshot = true;
  snap.snapshot.metadata = {cluster[1].conf_state, Index{50}, Term{2}};
  CHECK(step(two, snap).has_value());
  two.raft->campaign();
  CHECK(two.role() == Role::kFollower);
  Ready& ready = two.raft->ready();
  CHECK(ready.snapshot.metadata.index == Index{50});
  CHECK(ready.committed_entries.empty());
  CHECK(two.storage.apply_snapshot(ready.snapshot).has_value());
  two.raft->advance();
  two.raft->campaign();
  CHECK(two.role() == Role::kCandidate);
}

TEST_CASE("a snapshot from before the commit index is answered with the commit index") {
  Cluster cluster(3);
  cluster.campaign(1);
  cluster.propose(1, "a");
  Member& two = cluster[2];
  REQUIRE(two.storage.create_snapshot(Index{5}, two.conf_state, {}).has_value());
  REQUIRE(two.storage.compact(Index{5}).has_value());
  Message snap = message(MessageType::kSnap, 1, 2, 2);
  snap.has_snapshot = true;
  snap.snapshot.metadata = {two.conf_state, Index{3}, Term{1}};
  cluster.sent.clear();
  CHECK(step(two, snap).has_value());
  cluster.handle_ready(two);
  CHECK(cluster.sent.at(0).index == Index{5});
  CHECK(two.last() == Index{5});
}

TEST_CASE("a snapshot of entries that are there commits them and keeps what follows") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& two = cluster[2];
  Message app = message(MessageType::kApp, 1, 2, 2);
  app.index = Index{4};
  app.log_term = Term{2};
  app.entries = {entry(2, 5, "a"), entry(2, 6, "b")};
  CHECK(step(two, app).has_value());
  Message snap = message(MessageType::kSnap, 1, 2, 2);
  snap.has_snapshot = true;
  snap.snapshot.metadata = {two.conf_state, Index{5}, Term{2}};
  CHECK(step(two, snap).has_value());
  Ready& ready = two.raft->ready();
  CHECK(ready.snapshot.empty());
  CHECK(two.last() == Index{6});
  CHECK(two.commit() == Index{5});
}

TEST_CASE("messages of a leader keep its followers from standing") {
  for (MessageType type : {MessageType::kHeartbeat, MessageType::kApp}) {
    Cluster cluster(3);
    cluster.campaign(1);
    cluster.drop = [](const Message&) { return true; };
    Message m = message(type, 1, 2, 2);
    if (type == MessageType::kApp) {
      m.index = Index{4};
      m.log_term = Term{2};
    }
    for (int i = 0; i < 40; ++i) {
      cluster[2].raft->tick();
      CHECK(step(cluster[2], m).has_value());
    }
    CHECK(cluster[2].role() == Role::kFollower);
  }
}
