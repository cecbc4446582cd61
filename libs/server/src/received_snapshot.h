#pragma once

#include <string>

#include "truss/common/file_system.h"
#include "truss/raft/types.h"
#include "truss/server/compat.h"

namespace truss::server {

/// Where the database of the received snapshot at `index` lies.
std::string received_db_path(const std::string& snap_dir, raft::Index index);

/// Whether a member at `level` can go over to the received `snapshot` and the database at `path`.
/// Reads both, changes nothing. Errors: kCorruption for a damaged one; kFailedPrecondition if the
/// database is older than the snapshot, the cluster's version is above ours, or authentication is
/// on.
/// Thread: one that may block.
Result<> check_received(FileSystem& files, const std::string& path, const raft::Snapshot& snapshot,
                        CompatLevel level);

}  // namespace truss::server
