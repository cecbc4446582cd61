#pragma once

#include <cstdint>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/types.h"
#include "truss/waltool/data_dir.h"

namespace truss::waltool {

/// The entry that made `revision`. The log does not number revisions: this counts back from the
/// last one that the db has applied, and asks the db which keys each revision changed where an
/// entry may have changed none (deletes, transactions).
/// *Errors:* kNotFound without a db; kOutOfRange if the revision lies above the db's or before the
/// log's beginning; kFailedPrecondition if compaction took what is needed to tell; I/O.
Result<raft::Index> index_of_revision(FileSystem& fs, const DataDir& dir, std::int64_t revision);

}  // namespace truss::waltool
