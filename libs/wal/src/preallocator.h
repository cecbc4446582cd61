#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "truss/common/error.h"
#include "truss/common/executor.h"
#include "truss/common/file_system.h"

namespace truss::wal {

/// Keeps the next segment file ready: `0.tmp` and `1.tmp` in turn, locked and preallocated in the
/// background. *Lives on:* WAL thread; only the creation of a file runs on the executor.
/// *Source:* etcd wal/file_pipeline.go.
class Preallocator {
 public:
  struct Ready {
    std::string path;
    std::unique_ptr<File> file;
  };

  /// \param executor  null: files are made by take() itself
  Preallocator(FileSystem& fs, std::string dir, std::uint64_t bytes, Executor* executor);
  /// Leaves the file in place, as a crash would.
  ~Preallocator();
  Preallocator(const Preallocator&) = delete;
  Preallocator& operator=(const Preallocator&) = delete;

  /// Begins to make the next file, unless one is ready or being made.
  void prepare();
  /// The next file. Never waits: if none is ready it is made here and now, under the other name.
  Result<Ready> take();
  /// Removes the file that is ready or was left by a predecessor, or has the background remove what
  /// it is making.
  void discard();

 private:
  struct Shared;

  std::string next_path();
  std::string free_path();

  FileSystem& fs_;
  std::string dir_;
  std::uint64_t bytes_;
  Executor* executor_;
  std::uint64_t count_ = 0;
  std::shared_ptr<Shared> shared_;
};

}  // namespace truss::wal
