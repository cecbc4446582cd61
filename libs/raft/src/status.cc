#include "truss/raft/status.h"

#include <string>

#include "node.h"

namespace truss::raft {

std::string_view reason(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNoLeader:
      return "no leader is known";
    case Refusal::kNotMember:
      return "this leader is not a member of its configuration any more";
    case Refusal::kTransferring:
      return "leadership is being transferred";
    case Refusal::kUncommittedTooBig:
      return "too many bytes are proposed and not yet committed";
    case Refusal::kForwardingOff:
      return "this node is not the leader and does not forward";
    case Refusal::kLocalMessage:
      return "a message of a local kind came from another node";
    case Refusal::kUnknownPeer:
      return "an answer came from a node outside the configuration";
    case Refusal::kWrongRecipient:
      return "a message for another node";
    case Refusal::kWrongSender:
      return "a message from nobody, or in the name of this node";
    case Refusal::kMalformed:
      return "a message that no correct peer sends";
    case Refusal::kLogTooShort:
      return "the leader counts on entries that this log has lost: replace the member's data, do "
             "not let it vote";
    case Refusal::kTooManyReads:
      return "too many reads wait for a quorum";
  }
  return "unknown";
}

Error to_error(Refusal refusal) {
  switch (refusal) {
    case Refusal::kUncommittedTooBig:
    case Refusal::kTooManyReads:
      return {Code::kResourceExhausted, "raft: " + std::string(reason(refusal))};
    case Refusal::kNoLeader:
    case Refusal::kNotMember:
    case Refusal::kTransferring:
    case Refusal::kForwardingOff:
      return {Code::kUnavailable, "raft: proposal dropped: " + std::string(reason(refusal))};
    default:
      return {Code::kInvalidArgument, "raft: " + std::string(reason(refusal))};
  }
}

std::string_view reason(NoLeaderReason why) {
  switch (why) {
    case NoLeaderReason::kHasLeader:
      return "there is a leader";
    case NoLeaderReason::kNotMember:
      return "this node is not in the configuration and waits to hear from its leader";
    case NoLeaderReason::kLearner:
      return "this node is a learner and waits to hear from its leader";
    case NoLeaderReason::kStoringSnapshot:
      return "a received snapshot is being stored";
    case NoLeaderReason::kConfChangeUnapplied:
      return "a committed membership change is not applied yet";
    case NoLeaderReason::kHeldBack:
      return "this node was told not to stand for election";
    case NoLeaderReason::kLogTooShort:
      return "this node's log has lost entries that it had acknowledged";
    case NoLeaderReason::kWaitingForTimeout:
      return "the election time-out is running";
    case NoLeaderReason::kCollectingPreVotes:
      return "asked for pre-votes, and no majority has answered yet";
    case NoLeaderReason::kCollectingVotes:
      return "asked for votes, and no majority has answered yet";
  }
  return "unknown";
}

std::string_view reason(StepDownReason why) {
  switch (why) {
    case StepDownReason::kNever:
      return "it did not step down";
    case StepDownReason::kHigherTerm:
      return "a message of a later term came";
    case StepDownReason::kNoQuorum:
      return "no majority was heard from for an election time-out";
    case StepDownReason::kRemoved:
      return "it is not a voter any more";
    case StepDownReason::kAsked:
      return "it was asked to";
  }
  return "unknown";
}

std::string_view reason(ConfChangeObstacle why) {
  switch (why) {
    case ConfChangeObstacle::kNone:
      return "nothing is in the way";
    case ConfChangeObstacle::kNotLeader:
      return "this node is not the leader";
    case ConfChangeObstacle::kPending:
      return "an earlier membership change may not be applied yet";
    case ConfChangeObstacle::kJoint:
      return "the configuration is joint and must be left first";
    case ConfChangeObstacle::kNotJoint:
      return "there is no joint configuration to leave";
  }
  return "unknown";
}

std::string_view reason(LagReason why) {
  switch (why) {
    case LagReason::kNone:
      return "it has the whole log";
    case LagReason::kInactive:
      return "nothing was heard from it since the last quorum check";
    case LagReason::kProbing:
      return "the point where the logs meet is not found yet";
    case LagReason::kWindowFull:
      return "as many appends are under way as allowed";
    case LagReason::kWaitingForSnapshot:
      return "a snapshot is on its way";
    case LagReason::kCatchingUp:
      return "appends are under way";
  }
  return "unknown";
}

namespace {

NoLeaderReason why_no_leader(const Core& core) {
  if (core.leader() != kNoNode) return NoLeaderReason::kHasLeader;
  switch (core.role()) {
    case Role::kPreCandidate:
      return NoLeaderReason::kCollectingPreVotes;
    case Role::kCandidate:
      return NoLeaderReason::kCollectingVotes;
    default:
      break;
  }
  const NoLeaderReason bar = core.bar_to_campaign();
  return bar == NoLeaderReason::kHasLeader ? NoLeaderReason::kWaitingForTimeout : bar;
}

VoteCount count_votes(const Core& core) {
  VoteCount out;
  if (core.votes() == nullptr) return out;
  for (NodeId voter : all_voters(core.tracker().config())) {
    ++out.voters;
    if (const bool* granted = core.votes()->find(voter)) ++(*granted ? out.granted : out.refused);
  }
  return out;
}

LagReason why_lagging(const Progress& peer, Index last) {
  if (peer.match == last) return LagReason::kNone;
  if (!peer.recent_active) return LagReason::kInactive;
  switch (peer.state) {
    case ProgressState::kProbe:
      return LagReason::kProbing;
    case ProgressState::kSnapshot:
      return LagReason::kWaitingForSnapshot;
    case ProgressState::kReplicate:
      break;
  }
  return peer.window_full() ? LagReason::kWindowFull : LagReason::kCatchingUp;
}

}  // namespace

BasicStatus basic_status_of(const Core& core) {
  BasicStatus out;
  out.id = core.id();
  out.hard_state = core.hard_state();
  out.soft_state = core.soft_state();
  out.applied = core.log().applied();
  out.last_index = core.log().last_index();
  out.leader_transferee = core.transferee();
  out.no_leader = why_no_leader(core);
  out.stepped_down = core.stepped_down();
  out.votes = count_votes(core);
  return out;
}

Status status_of(const Core& core) {
  Status out{basic_status_of(core), core.tracker().config(), {}};
  if (core.role() != Role::kLeader) return out;
  for (const Progress& peer : core.tracker().peers()) {
    const Index last = core.log().last_index();
    out.peers.push_back({peer, why_lagging(peer, last), last - peer.match});
  }
  return out;
}

}  // namespace truss::raft
