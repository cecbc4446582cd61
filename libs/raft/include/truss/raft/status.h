#pragma once

#include <cstddef>
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
  kWrongSender,        ///< a message from nobody, or in the name of this node
  kMalformed,          ///< a message that no correct peer sends (gaps, missing entry)
  kLogTooShort,        ///< a leader counts on entries that our log does not have: they were lost
  kTooManyReads,       ///< a read index asked while too many others wait
};

/// One sentence for people.
std::string_view reason(Refusal refusal);
/// As an Error for the layers above: kUnavailable for dropped proposals, else kInvalidArgument.
Error to_error(Refusal refusal);

/// Why this node knows no leader. Those before kWaitingForTimeout can't stand for election now and
/// wait for a leader's message.
enum class NoLeaderReason : std::uint8_t {
  kHasLeader,
  kNotMember,            ///< not (yet, or no longer) in the configuration
  kLearner,              ///< learners do not stand
  kStoringSnapshot,      ///< a received snapshot is not stored yet
  kConfChangeUnapplied,  ///< a committed conf change waits to be applied
  kHeldBack,             ///< the owner forbade campaigns
  kLogTooShort,          ///< the log misses entries that this node acknowledged: its disk lost them
  kWaitingForTimeout,    ///< follower whose election timer runs
  kCollectingPreVotes,   ///< asked, no quorum of answers yet
  kCollectingVotes,
};

/// Why this node was leader and is not any more.
enum class StepDownReason : std::uint8_t {
  kNever,       ///< it was not, or still is
  kHigherTerm,  ///< a message of a later term came
  kNoQuorum,    ///< no quorum was heard from for an election time-out
  kRemoved,     ///< not a voter any more
  kAsked,       ///< step_down() was called
};

/// What keeps a proposed conf change out of the log.
enum class ConfChangeObstacle : std::uint8_t {
  kNone,
  kNotLeader,
  kPending,   ///< an earlier one is not applied yet, or may not be: the term is fresh
  kJoint,     ///< the configuration is joint: it must be left first
  kNotJoint,  ///< there is no joint configuration to leave
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

/// One sentence for people.
std::string_view reason(NoLeaderReason why);
std::string_view reason(StepDownReason why);
std::string_view reason(ConfChangeObstacle why);
std::string_view reason(LagReason why);

/// The answers to a campaign, of voters in either half of the configuration.
struct VoteCount {
  std::size_t voters = 0;
  std::size_t granted = 0;
  std::size_t refused = 0;
};

struct BasicStatus {
  NodeId id;
  HardState hard_state;
  SoftState soft_state;
  Index applied;
  Index last_index;
  NodeId leader_transferee;  ///< kNoNode unless a transfer is under way
  NoLeaderReason no_leader = NoLeaderReason::kHasLeader;
  StepDownReason stepped_down = StepDownReason::kNever;  ///< why, the last time
  VoteCount votes;                                       ///< while it stands for election
};

struct PeerStatus {
  Progress progress;
  LagReason lag = LagReason::kNone;
  std::uint64_t behind = 0;  ///< entries of the leader that it is not known to have
};

/// Everything; `peers` only on a leader, ids ascending.
struct Status : BasicStatus {
  ConfState config;
  std::vector<PeerStatus> peers;
};

}  // namespace truss::raft
