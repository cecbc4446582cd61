#pragma once

#include "truss/snaptool/db_file.h"

namespace truss::snaptool {

/// `wanted`, or the newest revision for 0. *Errors:* kOutOfRange if it is compacted or future.
Result<std::int64_t> revision_of(bolt::Tx& tx, std::int64_t wanted);

/// Bucket `key`. *Errors:* kFailedPrecondition without one.
Result<bolt::Bucket> key_bucket(DbFile& file);

}  // namespace truss::snaptool
