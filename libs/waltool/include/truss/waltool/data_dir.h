#pragma once

#include <memory>
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

/// Files that can be read beside a writer: takes no locks (says that it has), refuses to write.
class UnlockedReads final : public FileSystem {
 public:
  explicit UnlockedReads(FileSystem& fs) : fs_(fs) {}
  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override;
  Result<FileInfo> stat(const std::string& path) override { return fs_.stat(path); }
  Result<std::vector<std::string>> list(const std::string& path) override { return fs_.list(path); }
  Result<> make_dir(const std::string& path, std::uint32_t mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override;

 private:
  FileSystem& fs_;
};

}  // namespace truss::waltool
