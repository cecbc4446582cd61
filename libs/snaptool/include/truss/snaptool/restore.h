#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/common/log.h"
#include "truss/common/process.h"
#include "truss/raft/types.h"
#include "truss/snaptool/db_file.h"

namespace truss::snaptool {

/// The flags of `etcdutl snapshot restore`, with its defaults.
struct RestoreOptions {
  std::string snapshot;       ///< path of a snapshot or db file, or of a data directory
  std::string data_dir = {};  ///< empty: NAME.etcd
  std::string wal_dir = {};   ///< empty: member/wal of the data directory
  std::string name = "default";
  std::string initial_cluster = {};  ///< `n1=http://a:2380,n2=…`; empty: NAME=http://localhost:2380
  std::string initial_cluster_token = "etcd-cluster";
  std::string advertise_peer_urls = "http://localhost:2380";  ///< comma-separated
  bool skip_hash_check = false;
  /// Added to the newest revision, so that watchers never see one twice; with mark_compacted only.
  std::uint64_t bump_revision = 0;
  bool mark_compacted = false;  ///< everything up to the bumped revision counts as compacted
  unsigned threads = 1;         ///< that check the db
};

/// One member of the restored cluster.
struct RestoredMember {
  raft::NodeId id;
  std::string name;
  std::vector<std::string> peer_urls;  ///< sorted
};

/// What a restore is going to make, or has made.
struct RestorePlan {
  std::string data_dir;
  std::string wal_dir;
  raft::NodeId self{};
  std::uint64_t cluster_id = 0;
  std::vector<RestoredMember> members;  ///< by id
};
struct Restored {
  RestorePlan plan;
  std::int64_t revision = 0;  ///< the member starts at, bumped if asked for
  std::int64_t compact_revision = -1;
};

/// Checks flags and places without touching anything. *Errors:* kInvalidArgument for flags that
/// contradict each other; kAlreadyExists if a directory to be made is there and not empty.
Result<RestorePlan> plan_restore(FileSystem& fs, const RestoreOptions& options);

/// Makes a member's data directory from a snapshot: the db with the new membership, a log with the
/// entries that found the cluster, and a `.snap` behind them; a new cluster with the old keys.
/// Everything is made beside its place and moved there last, the data directory after the log, so
/// there is a whole directory or none. The snapshot is only read.
/// *Errors:* as plan_restore; kCorruption if its SHA-256 is wrong or (unless skip_hash_check)
/// missing, or its pages don't hang together; kFailedPrecondition if it is no etcd db; I/O.
/// *Durability:* all is on disk when it returns.
/// *Source:* etcd etcdutl/snapshot/v3_snapshot.go Restore, saveDB, saveWALAndSnap.
Result<Restored> restore(FileSystem& fs, Process& process, Logger& log,
                         const RestoreOptions& options, const Progress& progress = {});

}  // namespace truss::snaptool
