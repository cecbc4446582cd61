#include "term_gate.h"

namespace truss::raft {

namespace {

Gate higher(MessageType type) {
  switch (type) {
    case MessageType::kApp:
    case MessageType::kHeartbeat:
    case MessageType::kSnap:
      return Gate::kFollowSender;
    case MessageType::kVote:
      return Gate::kVoteUnlessLease;
    case MessageType::kPreVote:
      return Gate::kPassUnlessLease;
    case MessageType::kPreVoteResp:
      return Gate::kPreVoteAnswer;
    default:
      return Gate::kFollowNobody;
  }
}

Gate lower(MessageType type) {
  switch (type) {
    case MessageType::kApp:
    case MessageType::kHeartbeat:
      return Gate::kNudgeStaleLeader;
    case MessageType::kPreVote:
      return Gate::kRefusePreVote;
    case MessageType::kStorageAppendResp:
      return Gate::kStorageOnly;
    default:
      return Gate::kDrop;
  }
}

}  // namespace

Gate gate_of(MessageType type, TermOrder order) {
  switch (order) {
    case TermOrder::kLower:
      return lower(type);
    case TermOrder::kHigher:
      return higher(type);
    default:
      return Gate::kPass;
  }
}

}  // namespace truss::raft
