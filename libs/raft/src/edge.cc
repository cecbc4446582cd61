#include "edge.h"

#include <algorithm>
#include <cstdint>

namespace truss::raft {

namespace {

/// Terms and indexes that no cluster reaches; near the top of their range sums would wrap.
constexpr std::uint64_t kMost = std::uint64_t{1} << 62;

/// A set of kinds, one bit each: this is asked of every message.
template <class... Kinds>
constexpr std::uint32_t set_of(Kinds... kinds) {
  return ((1u << static_cast<unsigned>(kinds)) | ...);
}

bool is_in(std::uint32_t set, MessageType type) {
  return (set >> static_cast<unsigned>(type) & 1) != 0;
}

constexpr std::uint32_t kLocal = set_of(
    MessageType::kHup, MessageType::kBeat, MessageType::kUnreachable, MessageType::kSnapStatus,
    MessageType::kCheckQuorum, MessageType::kStorageAppend, MessageType::kStorageAppendResp,
    MessageType::kStorageApply, MessageType::kStorageApplyResp, MessageType::kUnknown);

/// Of those that are not local.
constexpr std::uint32_t kAnswers =
    set_of(MessageType::kAppResp, MessageType::kVoteResp, MessageType::kHeartbeatResp,
           MessageType::kReadIndexResp, MessageType::kPreVoteResp);

/// They keep the name of the node that they concern when others hand them on.
constexpr std::uint32_t kHandedOn =
    set_of(MessageType::kProp, MessageType::kReadIndex, MessageType::kTransferLeader);

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

/// Nothing of a snapshot that would be restored is newer than what its sender has seen.
bool well_formed_snapshot(const Core& core, const Message& m) {
  if (!m.has_snapshot) return false;
  const SnapshotMetadata& meta = m.snapshot.metadata;
  if (meta.index <= core.log().committed()) return true;
  return meta.index.value() <= kMost && meta.term != Term{} &&
         meta.term <= std::max(m.term, core.term());
}

bool well_formed(const Core& core, const Message& m) {
  if (m.term.value() > kMost || m.index.value() > kMost) return false;
  switch (m.type) {
    case MessageType::kApp:
      return m.term != Term{} && well_formed_append(m);
    case MessageType::kProp:
    case MessageType::kReadIndex:
      return !m.entries.empty() && m.term == Term{};
    case MessageType::kSnap:
      return m.term != Term{} && well_formed_snapshot(core, m);
    default:
      return m.term != Term{};  // without one it would pass for a local message
  }
}

/// From nobody, or from this node, which only in async mode and only about its disk talks to
/// itself.
bool wrong_sender(const Core& core, const Message& m) {
  if (m.from == kNoNode) return true;
  if (m.from != core.id() || is_in(kHandedOn, m.type)) return false;
  return !core.config().async_storage_writes || !waits_for_disk(m.type) || m.reject;
}

/// A leader never tells a commit index past what we acknowledged: our log lost entries since.
bool counts_on_lost_entries(const Core& core, const Message& m) {
  return m.type == MessageType::kHeartbeat && m.term >= core.term() &&
         m.commit > core.log().last_index();
}

/// An acknowledgement of entries that this leader never had.
bool acks_the_future(const Core& core, const Message& m) {
  return m.type == MessageType::kAppResp && m.index > core.log().last_index() &&
         m.term == core.term() && core.role() == Role::kLeader;
}

}  // namespace

std::optional<Refusal> refuse_at_edge(const Core& core, const Message& m) {
  if (is_storage_thread(m.from)) {
    // Caution: in async mode the owner must not let a peer speak as one of the storage threads.
    if (core.config().async_storage_writes) return std::nullopt;
    return Refusal::kLocalMessage;
  }
  if (is_in(kLocal, m.type)) return Refusal::kLocalMessage;
  if (is_in(kAnswers, m.type) && core.tracker().find(m.from) == nullptr)
    return Refusal::kUnknownPeer;
  if (m.to != kNoNode && m.to != core.id()) return Refusal::kWrongRecipient;
  if (wrong_sender(core, m)) return Refusal::kWrongSender;
  if (!well_formed(core, m) || acks_the_future(core, m)) return Refusal::kMalformed;
  if (counts_on_lost_entries(core, m)) return Refusal::kLogTooShort;
  return std::nullopt;
}

}  // namespace truss::raft
