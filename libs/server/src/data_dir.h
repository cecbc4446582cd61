#pragma once

#include <optional>
#include <string>
#include <vector>

#include "truss/raft/types.h"
#include "truss/schema/membership.h"
#include "truss/schema/meta.h"
#include "truss/server/server.h"
#include "truss/wal/wal.h"

namespace truss::server {

/// Paths of a data directory. Format: architecture of `<data-dir>/member/{snap,wal}`.
struct DataDir {
  explicit DataDir(const Config& config);

  std::string data;
  std::string member;
  std::string snap;
  std::string db;
  std::string wal;
};

/// What the db file says about itself, read without changing it.
struct DbFacts {
  schema::Meta meta;
  schema::Membership membership;
  bool auth_enabled = false;
};
/// Errors: kUnavailable if another process holds the file; kCorruption; I/O.
Result<DbFacts> read_db_facts(FileSystem& files, const std::string& path);

/// A data directory found fit to start on, and not changed yet.
struct Verdict {
  DbFacts db;
  bool db_exists = false;
  CompatLevel level = kDefaultLevel;
  bool level_known = false;  ///< the directory or `--compat` says so: not just the default
  wal::Identity identity;
  std::optional<raft::Snapshot> snapshot;  ///< to start from; nullopt: from the first entry
  /// Path of the database received with that snapshot, if a crash came before it was renamed to
  /// `db`: the start has to do that, and `db` above is what it holds. Empty: there is none.
  std::string received_db;
  /// Newest snapshot the log knows that neither db nor a received one covers.
  raft::SnapshotMark unreached;
};

/// Looks an existing directory over, changing nothing: is it whole, readable, not in use, of a
/// release we know, and free of what this member can't honour? Chooses the snapshot to start from:
/// the newest readable one that the log knows and the db, or one received with it, covers.
/// Errors: one line with file, place and what to do.
Result<Verdict> examine(const DataDir& dir, const Config& config, FileSystem& files);

/// Entries that a received snapshot has overtaken: they lie behind it in the log, from a leader
/// before its own, and were never committed. Cuts them off.
void drop_overtaken(std::vector<raft::Entry>& entries, const std::optional<raft::Snapshot>& from);

/// Bytes that an entry's record may have at that level; 0: no limit.
wal::ReadLimits read_limits(CompatLevel level);

}  // namespace truss::server
