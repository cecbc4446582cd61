#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/raft/types.h"
#include "truss/wal/record.h"
#include "truss/waltool/data_dir.h"
#include "truss/waltool/entry_runs.h"
#include "truss/waltool/scan.h"

/// All that a member's files say, as values: what judge() judges.
namespace truss::waltool {

/// Members by id; true for a learner.
using MemberIds = std::map<std::uint64_t, bool>;

/// A `.snap` file.
struct SnapFacts {
  std::string name;
  raft::SnapshotMark mark;
  bool readable = false;
  std::string error{};  ///< if not
  raft::ConfState conf_state{};
  MemberIds members{};
};

/// What the db says.
struct DbFacts {
  std::uint64_t consistent_index = 0;
  std::uint64_t term = 0;  ///< 0 below 3.5
  std::int64_t revision = 0;
  std::int64_t compacted = 0;
  MemberIds members;
  std::vector<std::uint64_t> removed;
  std::string cluster_version;
  std::string storage_version;
};

/// Reads the db without a lock. *Errors:* kCorruption, I/O.
Result<DbFacts> read_db(FileSystem& fs, const std::string& path);
/// All `.snap` files of the folder, newest first. *Errors:* I/O of the listing.
Result<std::vector<SnapFacts>> read_snaps(FileSystem& fs, const std::string& dir);

struct ConfChangeAt {
  raft::Index index;
  raft::ConfChange change;
};

struct Evidence {
  std::vector<SegmentFacts> segments;
  std::optional<wal::Identity> identity;
  std::vector<Fault> faults;

  EntryRuns entries;           ///< the log as it reads, later entries in place of earlier ones
  raft::HardState state;       ///< highest term, its vote, highest commit of all readable states
  raft::HardState last_state;  ///< the last readable one
  std::vector<raft::SnapshotMark> marks;  ///< SNAPSHOT records
  /// Last entry that a fault took of which it is proved that it had been synced; 0: none.
  raft::Index synced_through{};
  std::vector<ConfChangeAt> conf_changes;  ///< readable, in the log
  std::uint64_t entry_records = 0;
  std::uint64_t entry_bytes = 0;

  bool has_snap_dir = false;
  std::vector<SnapFacts> snaps;
  std::vector<raft::Index> received_dbs;  ///< `.snap.db` files
  bool has_db = false;
  std::optional<DbFacts> db;
  std::string db_error;  ///< why `db` is empty though there is one

  std::uint64_t bytes() const;
};

/// Reads everything; never writes, takes no lock.
/// \param progress  as ScanSink's; may be empty
/// *Errors:* kNotFound without segments; I/O.
Result<Evidence> gather(FileSystem& fs, const DataDir& dir,
                        const std::function<void(std::uint64_t)>& progress = {});

}  // namespace truss::waltool
