#pragma once

#include "truss/common/file_system.h"

namespace truss::peertool {

/// A file system that takes everything and keeps nothing: where snapshots to our own sink go.
/// Thread: any.
class DiscardFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<> make_dir(const std::string& path, std::uint32_t mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_dir(const std::string& path) override;
};

}  // namespace truss::peertool
