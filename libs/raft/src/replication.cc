#include <algorithm>

#include "core.h"
#include "truss/common/check.h"
#include "truss/raft/text.h"

/// What a leader sends, and when (raft paper §5.3, §7).
namespace truss::raft {

bool Core::send_append(Progress& peer, bool even_if_empty) {
  if (peer.paused()) return false;
  const bool at_end = peer.next > log_.last_index();
  if (at_end && !even_if_empty) return false;
  const Index previous = peer.next - 1;
  const StorageResult<Term> previous_term = log_.term(previous);
  if (!previous_term) return send_snapshot(peer);
  const bool window_full = peer.window_full();
  if (window_full && !even_if_empty) return false;

  Message& m = emit(MessageType::kApp, peer.id);
  if (!window_full && !at_end) {
    const auto sliced =
        log_.slice(peer.next, log_.last_index() + 1, config_.max_size_per_message, m.entries);
    if (!sliced) {  // only the term before the first entry is left
      outbox.drop_last();
      return send_snapshot(peer);
    }
  }
  m.index = previous;
  m.log_term = *previous_term;
  m.commit = log_.committed();
  peer.on_sent(m.entries.size(), payload_size(m.entries), m.commit);
  return true;
}

bool Core::send_snapshot(Progress& peer) {
  if (!peer.recent_active) return false;  // it would be wasted on a dead peer
  StorageResult<Snapshot> snapshot = log_.snapshot();
  if (!snapshot) {
    TRUSS_CHECK(snapshot.error() == StorageError::kSnapshotNotReady, "raft snapshot unavailable");
    return false;
  }
  TRUSS_CHECK(!snapshot->empty(), "a raft peer needs a snapshot and storage has an empty one");
  const Index index = snapshot->metadata.index;
  logger_.info("sends snapshot", {{"raft-id", node_text(id())},
                                  {"to", node_text(peer.id)},
                                  {"index", index.value()},
                                  {"first-index", log_.first_index().value()}});
  peer.on_snapshot_sent(index);
  Message& m = emit(MessageType::kSnap, peer.id);
  m.snapshot = *std::move(snapshot);
  m.has_snapshot = true;
  return true;
}

void Core::send_heartbeat(Progress& peer, const SharedBytes& context) {
  // Never more than the peer is known to have: its log may end at match.
  Message& m = emit(MessageType::kHeartbeat, peer.id);
  m.commit = std::min(peer.match, log_.committed());
  m.context = context;
  peer.on_heartbeat_sent(m.commit);
}

void Core::broadcast_append() {
  for (Progress& peer : tracker_.peers()) {
    if (peer.id != id()) send_append(peer, true);
  }
}

void Core::broadcast_heartbeat(const Leader& leader) {
  const SharedBytes context =
      leader.reads.empty() ? SharedBytes() : read_context(leader.reads.newest());
  for (Progress& peer : tracker_.peers()) {
    if (peer.id != id()) send_heartbeat(peer, context);
  }
}

bool Core::try_commit() { return log_.try_commit(tracker_.committed(), term_); }

}  // namespace truss::raft
