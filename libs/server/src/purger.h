#pragma once

#include <string>

#include "truss/common/clock.h"
#include "truss/common/executor.h"
#include "truss/common/file_system.h"
#include "truss/common/log.h"
#include "truss/raft/types.h"
#include "truss/snap/snapshotter.h"

namespace truss::server {

/// Deletes surplus WAL segments and `.snap` files, apart from the WAL thread: a file system takes
/// tens of milliseconds to forget 64 MiB, more where it tells the disk, and no put is to wait for
/// that. One segment at a time, with pauses in which the disk is everybody else's.
///
/// Lives on: the executor given; purge() may be called from any thread.
class Purger {
 public:
  struct Parts {
    Executor& executor;
    Clock& clock;
    FileSystem& files;
    Logger& logger;
    std::string wal_dir;
    std::string snap_dir;
    std::uint32_t max_wals = 5;   ///< 0: all stay
    std::uint32_t max_snaps = 5;  ///< 0: all stay
    Duration pause;               ///< between two segments
  };
  explicit Purger(Parts parts);

  /// Deletes what neither these counts nor a fallback to the db's older root (consistent index
  /// `older_root`) keep. Failures are logged.
  void purge(raft::Index older_root);

 private:
  void begin(raft::Index older_root);
  void purge_segments();
  void purge_snapshots();
  raft::Index replay_floor();

  const Parts parts_;
  snap::Snapshotter snapshotter_;
  raft::Index older_root_;
  bool under_way_ = false;
};

}  // namespace truss::server
