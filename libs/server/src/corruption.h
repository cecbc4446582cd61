#pragma once

#include <optional>
#include <string>
#include <vector>

#include "peer_poll.h"
#include "truss/mvcc/store.h"
#include "truss/server/compat.h"
#include "truss/server/peer_queries.h"

/// Do the members hold the same data? Told by HashKV at one revision.
/// Source: etcdserver/corrupt.go.
namespace truss::server {

/// What one other member said of its data.
struct PeerHash {
  raft::NodeId member;
  Result<PeerHashKv> answer;
};

/// Asks all of `members` for their hash at `revision`. `done` as PeerPoll's.
void poll_hashes(PeerQueries& queries, const std::vector<Member>& members, ClusterId cluster,
                 std::int64_t revision, Duration timeout,
                 absl::AnyInvocable<void(std::vector<PeerHash>)> done);

/// Before a member serves: the others whose hash at its revision differs though they compacted
/// alike. Who can't tell, being behind or compacted further, is no witness.
std::vector<raft::NodeId> differing(const mvcc::HashKv& own, const std::vector<PeerHash>& others);

/// What a leader's look at the others came to.
struct CorruptionVerdict {
  raft::NodeId member;  ///< whose data is in doubt
  std::string why;
};
/// `before` was taken first, then the others answered at its revision, then everything agreed by
/// then was applied here, and `after` taken. The first doubt, or nullopt.
std::optional<CorruptionVerdict> judge_hashes(raft::NodeId self, const mvcc::HashKv& before,
                                              const mvcc::HashKv& after,
                                              const std::vector<PeerHash>& others);

}  // namespace truss::server
