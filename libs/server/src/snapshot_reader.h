#pragma once

#include <memory>
#include <string>

#include "truss/mvcc/backend.h"
#include "truss/server/server.h"

namespace truss::server {

/// Reads the image of a pinned view piece by piece: its first piece (with both meta pages) as bolt
/// makes it, the rest straight from the file, whose pinned pages no commit overwrites. Pages that
/// are free in the view may change meanwhile; nothing in it refers to them.
class FileSnapshotReader final : public SnapshotReader {
 public:
  /// Errors: those of bolt; I/O. Thread: backend.
  static Result<std::unique_ptr<FileSnapshotReader>> open(FileSystem& files,
                                                          mvcc::Backend& backend);

  std::uint64_t size_bytes() const override { return size_; }
  /// Of the image. Errors: kCorruption. Thread: backend.
  Result<std::uint64_t> consistent_index();
  Result<std::string> read(std::size_t limit) override;

 private:
  FileSnapshotReader(mvcc::Backend::Snapshot view, std::unique_ptr<File> file, std::string head);

  mvcc::Backend::Snapshot view_;
  std::unique_ptr<File> file_;
  const std::string head_;
  const std::uint64_t size_;
  std::uint64_t offset_ = 0;
};

}  // namespace truss::server
