#include <algorithm>

#include "raft_loop.h"

/// Snapshots on the raft thread: sent and received beside the other messages, and what they allow
/// to forget of the log in memory.
namespace truss::server {

void RaftLoop::divert_snapshot(raft::Message message) {
  const raft::NodeId peer = message.to;
  if (!snapshot_sends_.may_begin(peer, clock_.now())) {
    return run([this, peer] { node_->report_snapshot(peer, false); });
  }
  snapshot_sends_.began(peer, message.snapshot.metadata.index);
  if (hooks_.send_snapshot(std::move(message))) return;
  logger_.warn("dropped a snapshot: too many wait to be sent", {{"to", id_text(peer)}});
  report_snapshot(peer, false);
}

void RaftLoop::report_snapshot(raft::NodeId peer, bool delivered) {
  run([this, peer, delivered] {
    snapshot_sends_.ended(peer, delivered, clock_.now());
    if (!delivered) node_->report_unreachable(peer);
    node_->report_snapshot(peer, delivered);
  });
}

void RaftLoop::snapshot_saved(raft::Snapshot snapshot) {
  run([this, snapshot = std::move(snapshot)] {
    const raft::Index index = snapshot.metadata.index;
    (void)storage_->create_snapshot(index, snapshot.metadata.conf_state, snapshot.data);
    memory_snapshot_ = std::max(memory_snapshot_, index);
    if (index.value() > retention_.keep)
      compact_to_ = std::max(compact_to_, index - retention_.keep);
    compact_log();
  });
}

/// The log in memory is short: a snapshot without data is enough for raft, since what is sent is
/// made afresh.
void RaftLoop::note_memory_snapshot() {
  if (applied_.value() <= memory_snapshot_.value() + retention_.every) return;
  memory_snapshot_ = applied_;
  (void)storage_->create_snapshot(applied_, conf_, SharedBytes());
  raft::Index done = applied_;
  if (retention_.wait_for_all) done = std::min(done, node_->known_to_all().value_or(done));
  if (done.value() <= retention_.keep) return;
  compact_to_ = std::max(compact_to_, done - retention_.keep);
  compact_log();
}

void RaftLoop::compact_log() {
  raft::Index to = compact_to_;
  if (const auto floor = snapshot_sends_.floor(clock_.now())) to = std::min(to, *floor);
  if (to >= storage_->first_index()) (void)storage_->compact(to);
}

}  // namespace truss::server
