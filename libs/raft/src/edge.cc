#include "edge.h"

namespace truss::raft {

namespace {

bool from_storage(NodeId from) { return from == kLocalAppendThread || from == kLocalApplyThread; }

bool is_local(MessageType type) {
  switch (type) {
    case MessageType::kHup:
    case MessageType::kBeat:
    case MessageType::kUnreachable:
    case MessageType::kSnapStatus:
    case MessageType::kCheckQuorum:
    case MessageType::kStorageAppend:
    case MessageType::kStorageAppendResp:
    case MessageType::kStorageApply:
    case MessageType::kStorageApplyResp:
      return true;
    default:
      return false;
  }
}

bool is_answer(MessageType type) {
  switch (type) {
    case MessageType::kAppResp:
    case MessageType::kVoteResp:
    case MessageType::kHeartbeatResp:
    case MessageType::kUnreachable:
    case MessageType::kReadIndexResp:
    case MessageType::kPreVoteResp:
    case MessageType::kStorageAppendResp:
    case MessageType::kStorageApplyResp:
      return true;
    default:
      return false;
  }
}

/// Entries follow one another and the index before them, and none is of a later term.
bool well_formed_append(const Message& m) {
  Index expected = m.index;
  Term before = m.log_term;
  for (const Entry& entry : m.entries) {
    if (entry.index != ++expected || entry.term < before || entry.term > m.term) return false;
    before = entry.term;
  }
  return m.log_term <= m.term;
}

bool well_formed(const Message& m) {
  switch (m.type) {
    case MessageType::kApp:
      return well_formed_append(m);
    case MessageType::kProp:
    case MessageType::kReadIndex:
      return !m.entries.empty() && m.term == Term{};
    case MessageType::kSnap:
      return m.has_snapshot;
    default:
      return true;
  }
}

/// An acknowledgement of entries that this leader never had.
bool acks_the_future(const Core& core, const Message& m) {
  return m.type == MessageType::kAppResp && core.role() == Role::kLeader && m.term == core.term() &&
         m.index > core.log().last_index();
}

}  // namespace

std::optional<Refusal> refuse_at_edge(const Core& core, const Message& m) {
  if (from_storage(m.from)) return std::nullopt;
  if (is_local(m.type)) return Refusal::kLocalMessage;
  if (is_answer(m.type) && core.tracker().find(m.from) == nullptr) return Refusal::kUnknownPeer;
  if (m.to != kNoNode && m.to != core.id()) return Refusal::kWrongRecipient;
  if (!well_formed(m) || acks_the_future(core, m)) return Refusal::kMalformed;
  return std::nullopt;
}

}  // namespace truss::raft
