#pragma once

#include <memory>
#include <string>
#include <vector>

#include "truss/common/file_system.h"

namespace truss::tool {

/// A file system whose files are only read, and take no locks (they say that they have): for
/// looking at what its owner has locked and may be writing. *Thread:* as of the one it is made
/// from.
class UnlockedFiles final : public FileSystem {
 public:
  explicit UnlockedFiles(FileSystem& fs) : fs_(fs) {}
  /// *Errors:* kPermissionDenied if `options` ask for more than reading.
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

}  // namespace truss::tool
