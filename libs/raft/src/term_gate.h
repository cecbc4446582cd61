#pragma once

#include <cstdint>

#include "truss/raft/types.h"

namespace truss::raft {

/// A message's term against ours. Local messages carry none.
enum class TermOrder : std::uint8_t { kLocal, kLower, kEqual, kHigher };

/// What the difference of terms alone decides, before any role sees the message.
enum class Gate : std::uint8_t {
  kPass,              ///< go on
  kDrop,              ///< an old message: ignore
  kFollowNobody,      ///< become follower of its term, leader unknown, then go on
  kFollowSender,      ///< become follower of its term and sender, then go on
  kVoteUnlessLease,   ///< ignore while the leader's lease shields us, else kFollowNobody
  kPassUnlessLease,   ///< the same, but our term stays: a pre-vote is a question only
  kPreVoteAnswer,     ///< granted: go on (the term is the one we asked for); refused: kFollowNobody
  kNudgeStaleLeader,  ///< tell an old leader our term, so that it steps down
  kRefusePreVote,     ///< refuse with our term, so that a lagging candidate learns it
  kStorageOnly,       ///< of an old append only the snapshot counts: its entries may be replaced
};

/// Source: etcd-io/raft raft.Step; raft paper §5.1, thesis §4.2.3 and §9.6.
Gate gate_of(MessageType type, TermOrder order);

}  // namespace truss::raft
