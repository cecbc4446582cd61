#include <doctest/doctest.h>

#include "cluster.h"
#include "truss/raft/codec.h"

using namespace truss::raft;

namespace {

Config safe_reads() { return Cluster::test_config(); }

Config lease_reads() {
  Config config = Cluster::test_config();
  config.check_quorum = true;
  config.read_mode = ReadMode::kLease;
  return config;
}

Config async_writes() {
  Config config = Cluster::test_config();
  config.async_storage_writes = true;
  return config;
}

Snapshot start_of(std::initializer_list<std::uint64_t> voters, std::uint64_t index) {
  Snapshot out;
  for (std::uint64_t id : voters) out.metadata.conf_state.voters.push_back(NodeId{id});
  out.metadata.index = Index{index};
  out.metadata.term = Term{1};
  return out;
}

}  // namespace

// Reads.

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

// Configuration, founding and restart.

TEST_CASE("a configuration that can't work is refused, with its field") {
  const auto message_of = [](auto change) {
    Config config = Cluster::test_config();
    config.id = NodeId{1};
    change(config);
    const auto valid = validate(config);
    return valid ? std::string("fine") : valid.error().message;
  };
  CHECK(message_of([](Config&) {}) == "fine");
  CHECK(message_of([](Config& c) { c.id = kNoNode; }).find("id") != std::string::npos);
  CHECK(message_of([](Config& c) { c.id = kLocalApplyThread; }) != "fine");
  CHECK(message_of([](Config& c) { c.heartbeat_tick = 0; }) != "fine");
  CHECK(message_of([](Config& c) { c.election_tick = c.heartbeat_tick; }) != "fine");
  CHECK(message_of([](Config& c) { c.max_inflight_messages = 0; }) != "fine");
  CHECK(message_of([](Config& c) {
          c.max_size_per_message = 10;
          c.max_inflight_bytes = 9;
        }) != "fine");
  CHECK(message_of([](Config& c) { c.read_mode = ReadMode::kLease; }) != "fine");
}

TEST_CASE("founding stores one entry a member, committed, and a hard state") {
  Member member(Cluster::test_config(), 1);
  member.config.id = NodeId{1};
  member.start();
  const Peer peers[] = {{NodeId{1}, bytes("one")}, {NodeId{2}, {}}};
  REQUIRE(member.raft->bootstrap(peers).has_value());
  Ready& ready = member.raft->ready();
  REQUIRE(ready.entries.size() == 2);
  CHECK(ready.committed_entries == ready.entries);
  CHECK(*ready.hard_state == HardState{Term{1}, kNoNode, Index{2}});
  CHECK(ready.must_sync);
  const auto change = decode_conf_change(ready.entries[0].data.view());
  REQUIRE(change.has_value());
  CHECK(*change == ConfChange{0, ConfChangeType::kAddNode, NodeId{1}, bytes("one")});
}

TEST_CASE("founding needs peers and an empty storage") {
  Member member(Cluster::test_config(), 1);
  member.config.id = NodeId{1};
  member.start();
  CHECK_FALSE(member.raft->bootstrap({}).has_value());
  member.conf_state.voters = {NodeId{1}};
  REQUIRE(member.storage.apply_snapshot(start_of({1}, 3)).has_value());
  member.start(Index{3});
  const Peer peers[] = {{NodeId{1}, {}}};
  CHECK_FALSE(member.raft->bootstrap(peers).has_value());
}

TEST_CASE("a restart keeps term, vote and commit, and hands out what was not applied") {
  Cluster cluster(3);
  cluster.campaign(1);
  for (const char* word : {"a", "b", "c"}) cluster.propose(1, word);
  Member& two = cluster[2];
  const HardState before = two.raft->basic_status().hard_state;
  two.applied.clear();
  two.start(before.commit - 2);
  CHECK(two.raft->basic_status().hard_state == before);
  CHECK(two.role() == Role::kFollower);
  CHECK_FALSE(two.raft->ready().hard_state.has_value());
  two.start(before.commit - 2);
  cluster.settle();
  CHECK(two.applied_text() == "b c");
}

TEST_CASE("conf changes may be applied twice") {
  Cluster cluster(3);
  cluster.campaign(1);
  Member& two = cluster[2];
  const ConfState before = two.raft->conf_state();
  two.storage.set_conf_state(before);
  two.start();  // applied nothing: the founding entries come again
  CHECK(two.raft->conf_state() == before);
  cluster.settle();
  CHECK(two.raft->conf_state() == before);
}

TEST_CASE("a vote survives a restart") {
  Cluster cluster(3);
  Message ask = message(MessageType::kVote, 2, 1, 5);
  ask.index = Index{3};
  ask.log_term = Term{1};
  CHECK(step(cluster[1], ask).has_value());
  cluster.handle_ready(cluster[1]);
  cluster[1].start(Index{3});
  cluster.sent.clear();
  ask.from = NodeId{3};
  CHECK(step(cluster[1], ask).has_value());
  cluster.handle_ready(cluster[1]);
  CHECK(cluster.sent.at(0).reject);
}

TEST_CASE("a commit index outside of the log is corruption, an applied one a usage error") {
  Member member(Cluster::test_config(), 1);
  member.config.id = NodeId{1};
  REQUIRE(member.storage.apply_snapshot(start_of({1}, 5)).has_value());
  const auto code = [&](std::uint64_t commit, std::uint64_t applied) {
    member.storage.set_hard_state({Term{1}, kNoNode, Index{commit}});
    member.config.applied = Index{applied};
    const auto made = RawNode::create(member.config, member.storage, member.random, member.log);
    return made ? truss::Code::kOk : made.error().code;
  };
  CHECK(code(5, 5) == truss::Code::kOk);
  CHECK(code(4, 0) == truss::Code::kCorruption);
  CHECK(code(6, 0) == truss::Code::kCorruption);
  CHECK(code(5, 4) == truss::Code::kInvalidArgument);
  CHECK(code(5, 6) == truss::Code::kInvalidArgument);
}

// Ready and advance.

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

// Async storage writes.

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
