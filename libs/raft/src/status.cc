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
    case Refusal::kMalformed:
      return "a message that no correct peer sends";
  }
  return "unknown";
}

Error to_error(Refusal refusal) {
  switch (refusal) {
    case Refusal::kUncommittedTooBig:
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
  return core.promotable() ? NoLeaderReason::kWaitingForTimeout : NoLeaderReason::kNotPromotable;
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
  return out;
}

Status status_of(const Core& core) {
  Status out{basic_status_of(core), core.tracker().config(), {}};
  if (core.role() != Role::kLeader) return out;
  for (const Progress& peer : core.tracker().peers()) {
    out.peers.push_back({peer, why_lagging(peer, core.log().last_index())});
  }
  return out;
}

}  // namespace truss::raft
