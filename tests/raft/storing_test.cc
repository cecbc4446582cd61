#include <doctest/doctest.h>

#include "cluster.h"

using namespace truss::raft;

/// What must be durable, and in which order: Ready and advance, and async storage writes.

namespace {

Config async_writes() {
  Config config = Cluster::test_config();
  config.async_storage_writes = true;
  return config;
}

}  // namespace

TEST_CASE("a sync is needed for entries, votes and terms, not for a commit index alone") {
  Cluster cluster(3);
  cluster[1].raft->campaign();
  CHECK(cluster[1].raft->ready().must_sync);
  cluster[1].raft->advance();

  Member& two = cluster[2];
  Message app = message(MessageType::kApp, 1, 2, 1);
  app.index = Index{3};
  app.log_term = Term{1};
  app.entries = {entry(1, 4, "a")};
  CHECK(step(two, app).has_value());
  Ready& first = two.raft->ready();
  CHECK(first.must_sync);
  two.storage.append(first.entries);
  two.raft->advance();
  app.entries.clear();
  app.index = Index{4};
  app.commit = Index{4};
  CHECK(step(two, app).has_value());
  Ready& second = two.raft->ready();
  CHECK(second.hard_state->commit == Index{4});
  CHECK_FALSE(second.must_sync);
}

TEST_CASE("answers that promise something about the disk come after all other messages") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& two = cluster[2];
  Message app = message(MessageType::kApp, 1, 2, 2);
  app.index = Index{4};
  app.log_term = Term{2};
  app.entries = {entry(2, 5, "a")};
  CHECK(step(two, app).has_value());
  CHECK(step(two, message(MessageType::kHeartbeat, 1, 2, 2)).has_value());
  Ready& ready = two.raft->ready();
  REQUIRE(ready.messages.size() == 2);
  CHECK(ready.send_at_once == 1);
  CHECK(ready.messages[0].type == MessageType::kHeartbeatResp);
  CHECK(ready.messages[1].type == MessageType::kAppResp);
}

TEST_CASE("a leader counts itself only when its entries are durable") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& one = cluster[1];
  CHECK(one.raft->propose(bytes("a")).has_value());
  Ready& writing = one.raft->ready();
  CHECK(one.commit() == Index{4});
  CHECK(one.peer(1).progress.match == Index{4});
  one.storage.append(writing.entries);
  one.raft->advance();
  CHECK(one.peer(1).progress.match == Index{5});
  CHECK(one.commit() == Index{4});
}

TEST_CASE("a vote alone needs a sync, and so does a term alone") {
  Cluster cluster(3);
  Member& two = cluster[2];
  CHECK(step(two, message(MessageType::kHeartbeat, 1, 2, 5)).has_value());
  Ready& term = two.raft->ready();
  CHECK(term.must_sync);
  CHECK(*term.hard_state == HardState{Term{5}, kNoNode, Index{3}});
  two.raft->advance();
  two.raft->forget_leader();
  Message ask = message(MessageType::kVote, 3, 2, 5);
  ask.index = Index{3};
  ask.log_term = Term{1};
  CHECK(step(two, ask).has_value());
  Ready& vote = two.raft->ready();
  CHECK(vote.must_sync);
  CHECK(vote.hard_state->vote == NodeId{3});
  CHECK(vote.send_at_once == 0);
}

TEST_CASE("a candidate asks for votes only when its own term is durable") {
  Cluster cluster(3);
  Member& one = cluster[1];
  one.raft->campaign();
  Ready& ready = one.raft->ready();
  CHECK(ready.must_sync);
  CHECK(ready.hard_state->vote == NodeId{1});
  REQUIRE(ready.messages.size() == 2);
  CHECK(ready.messages[0].type == MessageType::kVote);
  CHECK(ready.send_at_once == 0);
}

TEST_CASE("in async mode nothing is acknowledged or applied before it is durable") {
  Cluster cluster(1, async_writes());
  cluster.campaign(1);
  Member& one = cluster[1];
  CHECK(one.raft->propose(bytes("a")).has_value());
  cluster.handle_ready(one);
  CHECK_FALSE(one.raft->has_ready());
  REQUIRE(one.append_work.size() == 1);
  CHECK(one.applied_text().empty());
  cluster.settle();
  CHECK(one.applied_text() == "a");
}

TEST_CASE("in async mode appends are handed out while earlier ones are still under way") {
  Cluster cluster(3, async_writes());
  cluster.campaign(1);
  Member& one = cluster[1];
  for (const char* word : {"a", "b", "c"}) {
    CHECK(one.raft->propose(bytes(word)).has_value());
    cluster.handle_ready(one);
  }
  REQUIRE(one.append_work.size() == 3);
  for (const Message& m : one.append_work) CHECK(m.entries.size() == 1);
  cluster.settle();
  for (std::uint64_t id = 1; id <= 3; ++id) CHECK(cluster[id].applied_text() == "a b c");
}

TEST_CASE("an append acknowledged in an earlier term does not make its entries stable") {
  Cluster cluster(3, async_writes());
  cluster.campaign(1);
  Member& two = cluster[2];
  const auto append = [&](std::uint64_t from, std::uint64_t term, const char* word) {
    Message app = message(MessageType::kApp, from, 2, term);
    app.index = Index{4};
    app.log_term = Term{2};
    app.entries = {entry(term, 5, word)};
    CHECK(step(two, app).has_value());
    cluster.handle_ready(two);
  };
  append(1, 2, "first");
  append(3, 3, "second");
  append(1, 4, "third");
  REQUIRE(two.append_work.size() == 3);
  // The first write is done, and says so with its old term: entry 5 is no longer that entry.
  for (const Message& response : two.append_work.front().responses) {
    if (response.to == NodeId{2}) CHECK(step(two, response).has_value());
  }
  two.append_work.pop_front();
  cluster.queue.clear();
  cluster.settle();
  CHECK(*two.storage.term(Index{5}) == Term{4});
  std::vector<Entry> stored;
  CHECK(two.storage.entries(Index{5}, Index{6}, kNoLimit, stored).has_value());
  CHECK(stored[0].data == bytes("third"));
}

TEST_CASE("sync and async mode, given the same inputs, apply the same") {
  Cluster sync(3);
  Cluster async(3, async_writes());
  for (Cluster* cluster : {&sync, &async}) {
    cluster->campaign(1);
    cluster->propose(1, "a");
    cluster->isolate(1);
    cluster->campaign(2);
    cluster->propose(2, "b");
    cluster->heal();
    cluster->tick(2);
    cluster->propose(1, "c");
  }
  for (std::uint64_t id = 1; id <= 3; ++id) {
    CHECK(sync[id].applied == async[id].applied);
    CHECK(sync[id].applied_text() == "a b c");
  }
}

TEST_CASE(
    "an async append carries the whole hard state or none of it, and its own end comes last") {
  Cluster cluster(3, async_writes());
  cluster.campaign(1);
  Member& two = cluster[2];
  Message app = message(MessageType::kApp, 1, 2, 7);
  app.index = Index{4};
  app.log_term = Term{2};
  app.entries = {entry(7, 5, "a")};
  CHECK(step(two, app).has_value());
  cluster.handle_ready(two);
  REQUIRE(two.append_work.size() == 1);
  const Message& append = two.append_work.front();
  CHECK((append.term == Term{7} && append.vote == kNoNode && append.commit == Index{4}));
  REQUIRE(append.responses.size() == 2);
  CHECK(append.responses[0].type == MessageType::kAppResp);
  CHECK(append.responses[1].type == MessageType::kStorageAppendResp);
  CHECK(append.responses[1].term == Term{7});
  two.append_work.clear();
  Message ask = message(MessageType::kVote, 3, 2, 8);
  ask.index = Index{9};
  ask.log_term = Term{7};
  CHECK(step(two, ask).has_value());
  cluster.handle_ready(two);
  REQUIRE(two.append_work.size() == 1);
  CHECK(two.append_work.front().vote == NodeId{3});
  CHECK(two.append_work.front().term == Term{8});
}

TEST_CASE("entries that were replaced and came back are stable only when written again") {
  Cluster cluster(3, async_writes());
  cluster.campaign(1);
  Member& two = cluster[2];
  const auto append = [&](std::uint64_t from, std::uint64_t term, std::uint64_t entry_term) {
    Message app = message(MessageType::kApp, from, 2, term);
    app.index = Index{4};
    app.log_term = Term{2};
    app.entries = {entry(entry_term, 5, "x")};
    app.commit = term == 4 ? Index{5} : Index{4};
    CHECK(step(two, app).has_value());
    cluster.handle_ready(two);
  };
  append(1, 2, 2);
  append(3, 3, 3);
  append(1, 4, 2);
  REQUIRE(two.append_work.size() == 3);
  const Message first = two.append_work.front();
  for (const Message& response : first.responses) {
    if (response.to == NodeId{2}) CHECK(step(two, response).has_value());
  }
  CHECK_FALSE(two.raft->has_ready());  // entry 5 is committed, but not to be applied yet
  cluster.queue.clear();
  cluster.settle();
  CHECK(two.applied.back().index == Index{5});
}

TEST_CASE("of a storage answer from an older term the snapshot counts, not the entries") {
  Cluster cluster(3, async_writes());
  cluster.campaign(1);
  Member& two = cluster[2];
  Message snap = message(MessageType::kSnap, 1, 2, 2);
  snap.has_snapshot = true;
  snap.snapshot.metadata = {two.raft->conf_state(), Index{9}, Term{2}};
  CHECK(step(two, snap).has_value());
  cluster.handle_ready(two);
  CHECK(step(two, message(MessageType::kHeartbeat, 3, 2, 5)).has_value());
  two.raft->forget_leader();
  CHECK(two.raft->basic_status().no_leader == NoLeaderReason::kStoringSnapshot);
  cluster.settle();
  CHECK(two.raft->basic_status().no_leader == NoLeaderReason::kWaitingForTimeout);
  CHECK(two.raft->basic_status().applied == Index{9});
}
