#pragma once

#include <string>

#include "truss/common/error.h"
#include "truss/common/file_system.h"

namespace truss::waltool {

/// Where a member keeps what. `snap` and `db` are empty if there is no such thing.
struct DataDir {
  std::string wal;
  std::string snap;
  std::string db;
};

/// Finds the pieces from a data directory, its `member` folder or a bare `wal` folder.
/// \param wal_dir  overrides, as the server's `--wal-dir`; may be empty
/// *Errors:* kNotFound if no log is there.
Result<DataDir> locate(FileSystem& fs, const std::string& dir, const std::string& wal_dir = "");

}  // namespace truss::waltool
