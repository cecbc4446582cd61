#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "truss/common/error.h"
#include "truss/raft/progress.h"
#include "truss/raft/ready.h"
#include "truss/raft/types.h"

namespace truss::raft {

/// Why an input was refused, where etcd knows few errors and writes log lines.
enum class Refusal : std::uint8_t {
  kNoLeader,           ///< proposal dropped: nobody to forward it to
  kNotMember,          ///< proposal dropped: this leader is not in the configuration
  kTransferring,       ///< proposal dropped: leadership is being transferred
  kUncommittedTooBig,  ///< proposal dropped: max_uncommitted_size reached
  kForwardingOff,      ///< proposal dropped: not the leader, and forwarding is off
  kLocalMessage,       ///< a local kind of message from another node
  kUnknownPeer,        ///< an answer from a node that is not in the configuration
  kWrongRecipient,     ///< a message addressed to another node
  kMalformed,          ///< a message that no correct peer sends (gaps, missing entry)
};

/// One sentence for people.
std::string_view reason(Refusal refusal);
/// As an Error for the layers above: kUnavailable for dropped proposals, else kInvalidArgument.
Error to_error(Refusal refusal);

/// Why this node knows no leader.
enum class NoLeaderReason : std::uint8_t {
  kHasLeader,
  kNotPromotable,       ///< learner, removed or restoring a snapshot: waits for a leader's message
  kWaitingForTimeout,   ///< follower whose election timer runs
  kCollectingPreVotes,  ///< asked, no quorum of answers yet
  kCollectingVotes,
};

/// Why a follower does not have the leader's log end.
enum class LagReason : std::uint8_t {
  kNone,                ///< it has
  kInactive,            ///< nothing heard since the last quorum check
  kProbing,             ///< log match point not found yet
  kWindowFull,          ///< as many messages or bytes in flight as allowed
  kWaitingForSnapshot,  ///< a snapshot is on its way
  kCatchingUp,          ///< replicating
};

struct BasicStatus {
  NodeId id;
  HardState hard_state;
  SoftState soft_state;
  Index applied;
  Index last_index;
  NodeId leader_transferee;  ///< kNoNode unless a transfer is under way
  NoLeaderReason no_leader = NoLeaderReason::kHasLeader;
};

struct PeerStatus {
  Progress progress;
  LagReason lag = LagReason::kNone;
};

/// Everything; `peers` only on a leader, ids ascending.
struct Status : BasicStatus {
  ConfState config;
  std::vector<PeerStatus> peers;
};

}  // namespace truss::raft
