#include "wal_thread.h"

#include <algorithm>
#include <utility>

#include "truss/wal/maintenance.h"

namespace truss::server {
namespace {

constexpr Duration kSlowSync = std::chrono::seconds(1);

}  // namespace

WalThread::WalThread(Parts parts, Delivered delivered)
    : executor_(parts.executor),
      clock_(parts.clock),
      process_(parts.process),
      logger_(parts.logger),
      progress_(parts.progress),
      wal_(std::move(parts.wal)),
      last_state_(parts.last_state),
      snapshotter_(parts.files, parts.logger, parts.snap_dir),
      conf_state_in_log_(parts.conf_state_in_log),
      answer_before_sync_(parts.answer_before_sync),
      delivered_(std::move(delivered)) {
  snapshotter_.measure(clock_, progress_.snap_metrics);
}

void WalThread::append(Job job) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (std::exchange(scheduled_, true)) return;
  }
  executor_.dispatch([this] { turn(); });
}

void WalThread::note(const raft::HardState& state) {
  if (state.empty()) return;
  std::lock_guard lock(mutex_);
  noted_ = state;
}

void WalThread::when_synced(std::uint64_t index, Task done) {
  {
    std::unique_lock lock(mutex_);
    if (!finished_) {
      new_gates_.push_back({raft::Index(index), std::move(done)});
      if (std::exchange(scheduled_, true)) return;
      lock.unlock();
      return schedule();
    }
  }
  done();
}

void WalThread::save_snapshot(raft::Snapshot snapshot, Task done) {
  executor_.post([this, snapshot = std::move(snapshot), done = std::move(done)]() mutable {
    write_snapshot(snapshot);
    wal_->release_to(snapshot.metadata.index);
    done();
  });
}

void WalThread::snapshot_installed(raft::Index index) {
  executor_.post([this, index] {
    wal_->release_to(index);
    if (const auto gone = snapshotter_.release_databases(index); !gone) {
      logger_.warn("failed to delete received databases", {{"error", gone.error().message}});
    }
  });
}

/// Outside of the lock: who is woken wants it.
void WalThread::schedule() {
  executor_.post([this] { turn(); });
}

void WalThread::turn() {
  raft::HardState noted;
  std::vector<Job> jobs;
  {
    std::lock_guard lock(mutex_);
    scheduled_ = false;
    std::swap(noted, noted_);
    jobs.swap(jobs_);
    for (Gate& gate : new_gates_) gates_.push_back(std::move(gate));
    new_gates_.clear();
  }
  bool must_sync = false;
  write_noted(noted);
  for (Job& job : jobs) {
    must_sync |= needs_sync(job);
    write(job);
  }
  if (must_sync && answer_before_sync_) {
    executor_.post([this] { sync(); });
  } else if (must_sync) {
    sync();
  }
  if (!jobs.empty()) delivered_(std::move(jobs));
  note_counts();
  // By a task of its own: a gate may want a sync, and those who wait for the jobs must not.
  if (!gates_.empty()) executor_.post([this] { open_gates(); });
}

void WalThread::sync() {
  const MonoTime start = clock_.now();
  wal_->sync();
  const Duration took = clock_.now() - start;
  progress_.wal_sync_durations.add(took);
  if (took <= kSlowSync) return;
  logger_.warn("slow fdatasync",
               {{"took", std::chrono::duration<double>(took).count()},
                {"expected-duration", std::chrono::duration<double>(kSlowSync).count()}});
}

void WalThread::write(Job& job) {
  if (!job.snapshot.empty()) write_snapshot(job.snapshot);
  wal_->append(job.state, job.entries);
}

void WalThread::write_noted(const raft::HardState& state) {
  if (state.empty()) return;
  wal_->append(state, {});
  last_state_ = state;
}

/// etcd's rule: entries, a new vote or a new term need a sync, a new commit index does not.
bool WalThread::needs_sync(const Job& job) {
  const bool moved = !job.state.empty() &&
                     (job.state.term != last_state_.term || job.state.vote != last_state_.vote);
  if (!job.state.empty()) last_state_ = job.state;
  return moved || !job.entries.empty() || !job.snapshot.empty();
}

void WalThread::open_gates() {
  if (gates_.empty()) return;
  const auto covered = [this](const Gate& gate) {
    return gate.index <= std::min(wal_->durable_index(), wal_->durable_commit());
  };
  const bool waiting = !std::all_of(gates_.begin(), gates_.end(), covered);
  if (waiting && wal_->dirty()) sync();
  note_counts();
  const auto open = std::stable_partition(gates_.begin(), gates_.end(), std::not_fn(covered));
  std::vector<Gate> ready(std::make_move_iterator(open), std::make_move_iterator(gates_.end()));
  gates_.erase(open, gates_.end());
  for (Gate& gate : ready) gate.done();
}

void WalThread::write_snapshot(const raft::Snapshot& snapshot) {
  const raft::SnapshotMetadata& meta = snapshot.metadata;
  if (const auto saved = snapshotter_.save(snapshot); !saved) {
    process_.fatal("can't save the snapshot at index " + std::to_string(meta.index.value()) + ": " +
                   saved.error().message);
  }
  wal_->save_snapshot({meta.index, meta.term}, conf_state_in_log_ ? &meta.conf_state : nullptr);
}

void WalThread::note_counts() {
  progress_.wal_syncs.store(wal_->syncs(), std::memory_order_relaxed);
  progress_.wal_bytes.store(wal_->bytes_written(), std::memory_order_relaxed);
}

void WalThread::finish() {
  std::vector<Gate> open = std::move(gates_);
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
    write_noted(std::exchange(noted_, {}));
    for (Job& job : jobs_) write(job);
    jobs_.clear();
    for (Gate& gate : new_gates_) open.push_back(std::move(gate));
    new_gates_.clear();
  }
  if (wal_->dirty()) sync();
  gates_.clear();
  for (Gate& gate : open) gate.done();
}

void WalThread::close() { wal_->close(); }

}  // namespace truss::server
