#include "truss/raft/progress.h"

#include <doctest/doctest.h>

#include <deque>

#include "truss/common/random.h"

using namespace truss::raft;

namespace {

Progress fresh(std::uint64_t next) { return Progress(NodeId{2}, Index{next}, Inflights(3, 0)); }

Progress replicating(std::uint64_t match, std::uint64_t sent) {
  Progress peer = fresh(match + 1);
  peer.on_ack(Index{match}, Index{1});
  for (std::uint64_t i = match; i < sent; ++i) peer.on_sent(1, 10, Index{});
  return peer;
}

}  // namespace

TEST_CASE("a probe waits for an answer after one message with entries, not after an empty one") {
  Progress peer = fresh(5);
  peer.on_sent(0, 0, Index{});
  CHECK_FALSE(peer.paused());
  peer.on_sent(1, 10, Index{});
  CHECK(peer.paused());
  peer.on_heartbeat_response();
  CHECK_FALSE(peer.paused());
}

TEST_CASE("an acknowledged probe replicates") {
  Progress peer = fresh(5);
  CHECK(peer.on_ack(Index{4}, Index{1}));
  CHECK(peer.state == ProgressState::kReplicate);
  CHECK(peer.match == Index{4});
  CHECK(peer.next == Index{5});
  CHECK_FALSE(peer.on_ack(Index{3}, Index{1}));
}

TEST_CASE("a probe acknowledged at the match itself replicates, too") {
  Progress peer = replicating(4, 6);
  peer.on_unreachable();
  REQUIRE(peer.state == ProgressState::kProbe);
  CHECK(peer.on_ack(Index{4}, Index{1}));
  CHECK(peer.state == ProgressState::kReplicate);
  CHECK_FALSE(peer.on_ack(Index{4}, Index{1}));
}

TEST_CASE("a window takes as many messages as it should, and not one more") {
  Inflights window(3, 0);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    CHECK_FALSE(window.full());
    window.add(Index{i}, 10);
  }
  CHECK(window.full());
  CHECK(window.bytes() == 30);
  window.free_through(Index{1});
  CHECK_FALSE(window.full());
  CHECK(window.count() == 2);
  CHECK(window.bytes() == 20);
}

TEST_CASE("a full window pauses, and an acknowledgement opens it again") {
  Progress peer = replicating(4, 7);
  CHECK(peer.window_full());
  CHECK(peer.paused());
  CHECK(peer.next == Index{8});
  CHECK(peer.on_ack(Index{6}, Index{1}));
  CHECK(peer.inflights.count() == 1);
  CHECK_FALSE(peer.paused());
}

TEST_CASE("a rejection of a pipelined message goes back to the match, whatever its hint") {
  Progress peer = replicating(4, 7);
  CHECK_FALSE(peer.on_reject(Index{4}, Index{4}));  // stale
  CHECK(peer.on_reject(Index{6}, Index{5}));
  CHECK(peer.state == ProgressState::kProbe);
  CHECK(peer.next == Index{5});
}

TEST_CASE("a rejected probe goes back to the hint, never to the match or below") {
  Progress peer = fresh(10);
  CHECK_FALSE(peer.on_reject(Index{7}, Index{3}));  // not the present probe
  CHECK(peer.on_reject(Index{9}, Index{3}));
  CHECK(peer.next == Index{4});
  peer.match = Index{2};
  CHECK(peer.on_reject(Index{3}, Index{0}));
  CHECK(peer.next == Index{3});
}

TEST_CASE("an unreachable peer falls back from replicate to probe, and from nothing else") {
  Progress peer = replicating(4, 6);
  peer.on_unreachable();
  CHECK(peer.state == ProgressState::kProbe);
  CHECK(peer.next == Index{5});
  peer.on_snapshot_sent(Index{9});
  peer.on_unreachable();
  CHECK(peer.state == ProgressState::kSnapshot);
}

TEST_CASE(
    "a delivered snapshot is probed behind it, a failed one at the match, both on an answer") {
  for (bool delivered : {true, false}) {
    Progress peer = fresh(5);
    peer.on_snapshot_sent(Index{9});
    CHECK(peer.paused());
    CHECK(peer.next == Index{10});
    peer.on_snapshot_status(delivered);
    CHECK(peer.state == ProgressState::kProbe);
    CHECK(peer.next == Index{delivered ? 10U : 1U});
    CHECK(peer.paused());
    peer.on_heartbeat_response();
    CHECK_FALSE(peer.paused());
  }
}

TEST_CASE("an acknowledgement that meets our log ends the wait for a snapshot") {
  Progress peer = fresh(5);
  peer.on_snapshot_sent(Index{20});
  CHECK(peer.on_ack(Index{8}, Index{15}));  // still behind what we have
  CHECK(peer.state == ProgressState::kSnapshot);
  CHECK(peer.on_ack(Index{14}, Index{15}));
  CHECK(peer.state == ProgressState::kReplicate);
  CHECK(peer.next == Index{15});
}

TEST_CASE("commit is only worth a message if the peer may not have been told") {
  Progress peer = replicating(4, 6);
  peer.on_sent(0, 0, Index{4});
  CHECK_FALSE(peer.can_bump_commit(Index{4}));
  CHECK(peer.can_bump_commit(Index{5}));
  peer.on_sent(0, 0, Index{9});  // more than it has: it commits up to next-1
  CHECK_FALSE(peer.can_bump_commit(Index{10}));
}

TEST_CASE("the byte limit of a window is soft: one message may cross it") {
  Inflights window(10, 100);
  window.add(Index{1}, 60);
  CHECK_FALSE(window.full());
  window.add(Index{2}, 60);
  CHECK(window.full());
  window.free_through(Index{1});
  CHECK(window.bytes() == 60);
  CHECK_FALSE(window.full());
}

TEST_CASE("a window equals a plain queue of messages") {
  truss::SeededRandom random(3);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t limit = 1 + random.below(20);
    Inflights window(limit, 0);
    std::deque<std::pair<std::uint64_t, std::uint64_t>> plain;
    std::uint64_t last = 0;
    for (int i = 0; i < 300; ++i) {
      if (!window.full() && random.below(2) == 0) {
        last += 1 + random.below(3);
        plain.emplace_back(last, random.below(50));
        window.add(Index{last}, plain.back().second);
      } else {
        const std::uint64_t ack = last - std::min<std::uint64_t>(last, random.below(12));
        window.free_through(Index{ack});
        while (!plain.empty() && plain.front().first <= ack) plain.pop_front();
      }
      std::uint64_t bytes = 0;
      for (const auto& message : plain) bytes += message.second;
      REQUIRE(window.count() == plain.size());
      REQUIRE(window.bytes() == bytes);
      REQUIRE(window.full() == (plain.size() == limit));
    }
  }
}
