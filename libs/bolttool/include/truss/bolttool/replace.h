#pragma once

#include <functional>
#include <memory>
#include <string>

#include "truss/common/file_system.h"

namespace truss::bolttool {

/// Makes the file `target` in one step: a temporary file beside it (`target`.boltctl-tmp) is
/// filled, synced and moved to its name, and the directory synced. A crash at any instant leaves
/// what was there before, or the whole new file. A leftover temporary file is overwritten by the
/// next try.
class Replacement {
 public:
  /// Gives the new file owner and mode of another; may be empty.
  using KeepOwner = std::function<Result<>(const std::string& from, const std::string& to)>;

  /// Errors: those of the file system; kUnavailable if somebody else is at the same work.
  static Result<Replacement> begin(FileSystem& fs, const std::string& target);
  Replacement(Replacement&&) noexcept = default;
  Replacement& operator=(Replacement&&) noexcept = default;
  /// Removes the temporary file unless commit() succeeded.
  ~Replacement();

  /// The temporary file, empty and locked.
  File& file() { return *file_; }
  const std::string& path() const { return temporary_; }
  /// Lets somebody else open, lock and change the temporary file meanwhile.
  Result<> lend(const std::function<Result<>(const std::string& path)>& borrower);
  /// \param like  file whose owner and mode the new one gets
  /// Durability: the file and its name are on disk when it returns.
  Result<> commit(const std::string& like, const KeepOwner& keep_owner);

 private:
  Replacement(FileSystem& fs, std::string target);

  FileSystem* fs_;
  std::string target_;
  std::string temporary_;
  std::unique_ptr<File> file_;  ///< null once moved from, or ended
};

/// Appends all bytes of the file at `from` to the empty file `to`.
Result<> copy_file(FileSystem& fs, const std::string& from, File& to);

}  // namespace truss::bolttool
