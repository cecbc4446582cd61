#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/common/log.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/raft/types.h"
#include "truss/snap/metrics.h"

namespace truss::snap {

/// The `member/snap` directory: saves, chooses and ages `.snap` and `.snap.db` files.
///
/// *Lives on:* WAL thread. *Source:* etcd snap/snapshotter.go, snap/db.go.
class Snapshotter {
 public:
  /// `dir` must exist.
  Snapshotter(FileSystem& fs, Logger& log, std::string dir);
  /// Counts into `metrics` from now on. Both outlive this.
  void measure(Clock& clock, SnapMetrics& metrics) {
    clock_ = &clock;
    metrics_ = &metrics;
  }

  /// Writes the snapshot's `.snap` file. An empty snapshot is nothing.
  /// *Durability:* file and name are on disk (etcd leaves the name to chance).
  Result<> save(const raft::Snapshot& snapshot);

  /// The newest readable snapshot among `valid` (see wal::valid_snapshots). A bad file is renamed
  /// to `NAME.snap.broken` and the next older one is tried; one that is merely not in `valid` is
  /// passed over.
  /// *Errors:* kNotFound if there is none; I/O.
  Result<raft::Snapshot> load_newest(std::span<const raft::SnapshotMark> valid);
  /// The newest readable snapshot of all.
  Result<raft::Snapshot> load_newest();

  /// Marks of all `.snap` files by name, newest first.
  Result<std::vector<raft::SnapshotMark>> list();

  /// Path of the database received with the snapshot at `index`.
  std::string db_path(raft::Index index) const;

  /// Deletes what a broken-off run leaves: `tmp*` (half-received) and `db.tmp*`
  /// (half-defragmented).
  Result<> remove_orphans();
  /// Deletes `.snap.db` files below `index`.
  Result<> release_databases(raft::Index index);
  /// Deletes the oldest `.snap` files beyond `max_files`, and likewise `.snap.db`; 0 keeps all. The
  /// newest `.snap` at or below `older_root`, the consistent index of the older of the db's two
  /// roots, stays: a member that falls back to that root replays from there.
  /// Returns the names removed.
  Result<std::vector<std::string>> purge(std::uint32_t max_files, raft::Index older_root);

 private:
  Result<raft::Snapshot> load_matching(const std::function<bool(raft::SnapshotMark)>& wanted);
  Result<raft::Snapshot> read(const std::string& name);
  Result<> write_file(const std::string& path, ByteView bytes);
  ScopedTime timed(DurationCounts SnapMetrics::*counts) const;
  void set_aside(const std::string& name, const Error& why);

  FileSystem& fs_;
  Logger& log_;
  std::string dir_;
  Clock* clock_ = nullptr;  // with metrics_
  SnapMetrics* metrics_ = nullptr;
};

}  // namespace truss::snap
