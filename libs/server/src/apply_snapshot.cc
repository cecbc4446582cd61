#include "apply_loop.h"
#include "truss/snap/v2_store.h"

/// Snapshots on the apply thread: made for peers from the state as it is, and taken over from the
/// leader in place of it.
namespace truss::server {

raft::Snapshot ApplyLoop::present_snapshot() const {
  raft::Snapshot snapshot;
  snapshot.metadata = {p_.membership.conf_state(), applied_, term_};
  snapshot.data = SharedBytes::copy(snap::write_v2_store(p_.membership.document()));
  return snapshot;
}

// --- Sending ---------------------------------------------------------------------------------

bool ApplyLoop::send_snapshot(raft::Message message) {
  std::lock_guard lock(mutex_);
  if (sends_.size() >= kMaxSends) return false;
  sends_.push_back(std::move(message));
  if (scheduled_) return true;
  scheduled_ = true;
  p_.executor.post([this] { turn(); });
  return true;
}

/// What raft chose is replaced by the present state: the database can't be had at any other.
void ApplyLoop::serve_sends() {
  std::vector<raft::Message> sends;
  {
    std::lock_guard lock(mutex_);
    sends.swap(sends_);
  }
  if (sends.empty()) return;
  // After a restart the db may be ahead of what was applied from the log.
  if (applied_.value() < p_.backend.consistent_index() || applied_ == raft::Index{}) {
    for (const raft::Message& m : sends) hooks_.snapshot_dropped(m.to);
    return;
  }
  for (raft::Message& m : sends) {
    m.snapshot = present_snapshot();
    m.has_snapshot = true;
  }
  auto shared = std::make_shared<std::vector<raft::Message>>(std::move(sends));
  if (p_.backend.commit_exactly([this, shared] { hooks_.send_snapshots(std::move(*shared)); })) {
    return;
  }
  put_back(std::move(*shared));
  pause();
  p_.backend.commit([this] { resume(); });
}

void ApplyLoop::put_back(std::vector<raft::Message> sends) {
  std::lock_guard lock(mutex_);
  sends_.insert(sends_.begin(), std::make_move_iterator(sends.begin()),
                std::make_move_iterator(sends.end()));
}

// --- Receiving -------------------------------------------------------------------------------

void ApplyLoop::begin_install(raft::Snapshot snapshot) {
  {
    // Entries behind it that a newer snapshot covers need no applying.
    std::lock_guard lock(mutex_);
    for (std::size_t i = jobs_.size(); i > 0; --i) {
      if (jobs_[i - 1].snapshot.empty()) continue;
      snapshot = std::move(jobs_[i - 1].snapshot);
      jobs_.erase(jobs_.begin(), jobs_.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  const raft::Index index = snapshot.metadata.index;
  if (index <= applied_) return;
  p_.logger.info("applying snapshot",
                 {{"current-applied-index", applied_.value()},
                  {"incoming-leader-snapshot-index", index.value()},
                  {"incoming-leader-snapshot-term", snapshot.metadata.term.value()}});
  pause();
  p_.progress.applying_snapshot = true;
  auto shared = std::make_shared<raft::Snapshot>(std::move(snapshot));
  hooks_.install(index, [this, shared] {
    p_.executor.post([this, shared] {
      finish_install(*shared);
      paused_ = false;
      turn();
    });
  });
}

void ApplyLoop::finish_install(const raft::Snapshot& snapshot) {
  const auto before = p_.membership.members();
  if (const Result<> loaded = load_installed(snapshot); !loaded) {
    p_.process.fatal("can't take over the leader's snapshot at index " +
                     std::to_string(snapshot.metadata.index.value()) + ": " +
                     loaded.error().message);
  }
  applied_ = snapshot_index_ = snapshot.metadata.index;
  term_ = snapshot.metadata.term;
  attached_ = false;  // the next entry corrects what differs in the db
  legacy_seen_ = false;
  p_.progress.applied.store(applied_.value(), std::memory_order_release);
  p_.progress.applying_snapshot = false;
  p_.logger.info("applied snapshot", {{"current-applied-index", applied_.value()},
                                      {"revision", p_.store.current_revision()}});
  hooks_.installed(snapshot, *before);
  hooks_.applied(applied_, {});
}

Result<> ApplyLoop::load_installed(const raft::Snapshot& snapshot) {
  TRUSS_TRY(p_.lessor.restore());
  p_.store.set_lease_links(&p_.lessor);
  TRUSS_TRY(p_.alarms.load(p_.backend));
  TRUSS_ASSIGN(const auto document, snap::parse_v2_store(snapshot.data.view()));
  p_.membership.load(document);
  return p_.membership.recover(p_.backend);
}

}  // namespace truss::server
