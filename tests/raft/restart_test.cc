#include <doctest/doctest.h>

#include "cluster.h"
#include "truss/raft/codec.h"

using namespace truss::raft;

/// Configuration, founding and restart.

namespace {

Snapshot start_of(std::initializer_list<std::uint64_t> voters, std::uint64_t index) {
  Snapshot out;
  for (std::uint64_t id : voters) out.metadata.conf_state.voters.push_back(NodeId{id});
  out.metadata.index = Index{index};
  out.metadata.term = Term{1};
  return out;
}

}  // namespace

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

TEST_CASE("founders count from the start, before their entries are applied") {
  Member member(Cluster::test_config(), 1);
  member.config.id = NodeId{1};
  member.start();
  const Peer peers[] = {{NodeId{1}, {}}, {NodeId{2}, {}}};
  REQUIRE(member.raft->bootstrap(peers).has_value());
  CHECK(member.raft->conf_state().voters == std::vector<NodeId>{NodeId{1}, NodeId{2}});
  member.raft->campaign();  // but conf changes that are not applied keep it from standing
  CHECK(member.raft->basic_status().no_leader == NoLeaderReason::kConfChangeUnapplied);
}

TEST_CASE("a restart in a joint configuration needs both halves as before") {
  Member member(Cluster::test_config(), 1);
  member.config.id = NodeId{1};
  Snapshot start = start_of({1, 4, 5}, 5);
  start.metadata.conf_state.voters_outgoing = {NodeId{1}, NodeId{2}, NodeId{3}};
  start.metadata.conf_state.learners_next = {NodeId{2}};
  start.metadata.conf_state.auto_leave = true;
  REQUIRE(member.storage.apply_snapshot(start).has_value());
  member.start();
  CHECK(member.raft->conf_state() == start.metadata.conf_state);
  member.raft->campaign();
  CHECK(member.raft->basic_status().votes.voters == 5);
}
