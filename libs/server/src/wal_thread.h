#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "progress.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/common/process.h"
#include "truss/mvcc/backend.h"
#include "truss/raft/types.h"
#include "truss/server/config.h"
#include "truss/snap/snapshotter.h"
#include "truss/wal/wal.h"

namespace truss::server {

/// Makes the raft thread's work durable: takes all that has queued up, appends it, one fdatasync
/// for all, hands it back. Also saves snapshots and holds bolt commits back until the log covers
/// them.
///
/// Full-behaviour of its mailbox: none of its own; the raft thread bounds what is un-synced.
/// Failures end the process (in the WAL, or here for `.snap` files).
/// Lives on: the WAL executor; the public functions may be called from any thread.
class WalThread final : public mvcc::WalGate {
 public:
  /// What one MsgStorageAppend asks for.
  struct Job {
    raft::HardState state;  ///< empty: unchanged
    std::vector<raft::Entry> entries;
    raft::Snapshot snapshot;               ///< received from a leader; empty: none
    std::vector<raft::Message> responses;  ///< to be sent when the rest is durable
  };
  using Delivered = std::function<void(std::vector<Job> jobs)>;

  struct Parts {
    Executor& executor;
    Clock& clock;
    FileSystem& files;
    Process& process;
    Logger& logger;
    Progress& progress;
    std::unique_ptr<wal::Wal> wal;
    raft::HardState last_state;  ///< as read from the log
    std::string snap_dir;
    bool conf_state_in_log;           ///< write ConfState into SNAPSHOT records (3.5 and later)
    bool answer_before_sync = false;  ///< see Sabotage
  };
  /// `delivered` is called on the WAL thread, jobs in the order given; it must only post.
  WalThread(Parts parts, Delivered delivered);

  void append(Job job);
  /// Takes over a state of which only the commit index moved, while no job is under way: it goes to
  /// the log with whatever comes next, and wakes nobody.
  void note(const raft::HardState& state);
  void when_synced(std::uint64_t index, Task done) override;
  /// `.snap` file, then SNAPSHOT record, then release of the segments before it; then `done`, on
  /// the WAL thread. The db must cover the snapshot already.
  void save_snapshot(raft::Snapshot snapshot, Task done);
  /// The db has gone over to the received snapshot at `index`: releases the segments before it and
  /// deletes databases received before it.
  void snapshot_installed(raft::Index index);

  /// Makes everything durable; from then on when_synced() answers at once. After the executor has
  /// stopped. Thread: the stopping one.
  void finish();
  /// Ends the log cleanly; nothing may follow. After finish().
  void close();

 private:
  struct Gate {
    raft::Index index;
    Task done;
  };

  void schedule();
  void turn();
  void sync();
  void write(Job& job);
  void write_noted(const raft::HardState& state);
  bool needs_sync(const Job& job);
  void open_gates();
  void write_snapshot(const raft::Snapshot& snapshot);
  void note_counts();

  Executor& executor_;
  Clock& clock_;
  Process& process_;
  Logger& logger_;
  Progress& progress_;
  std::unique_ptr<wal::Wal> wal_;
  raft::HardState last_state_;
  snap::Snapshotter snapshotter_;
  const bool conf_state_in_log_;
  const bool answer_before_sync_;
  const Delivered delivered_;
  std::vector<Gate> gates_;

  std::mutex mutex_;       // guards the mailbox below
  raft::HardState noted_;  // before jobs_; empty: none
  std::vector<Job> jobs_;
  std::vector<Gate> new_gates_;
  bool scheduled_ = false;
  bool finished_ = false;
};

}  // namespace truss::server
