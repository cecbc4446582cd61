#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "truss/bolt/bolt.h"
#include "truss/common/error.h"
#include "truss/common/file_system.h"

/// What `snapctl` does with snapshots and db files, apart from its command line.
namespace truss::snaptool {

/// Told now and then how far a long piece of work has come: bytes done of bytes in all.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// The file that PATH means: a snapshot or db file itself, or the db of a data directory.
/// *Errors:* kNotFound.
Result<std::string> db_path_of(FileSystem& fs, const std::string& path);

/// True if a file of that size carries a SHA-256 behind its image.
/// *Errors:* kCorruption if the size is neither that of an image nor of an image with a hash: the
/// file was cut off, or has grown.
Result<bool> carries_hash(const std::string& path, std::uint64_t file_bytes,
                          std::uint32_t page_size);

/// A snapshot or db file, open for reading only, with one transaction on it. Nothing is written,
/// and no more than some tens of MB of it are in memory at a time.
/// *Thread:* one.
class DbFile {
 public:
  enum class Lock {
    kShared,  ///< as every reader of bolt files
    kNone,    ///< Caution: whoever has the file may change it meanwhile (see cut.h)
  };
  /// *Errors:* kUnavailable if another process writes to it; kCorruption; kNotFound; I/O.
  static Result<DbFile> open(FileSystem& fs, const std::string& path, Lock lock = Lock::kShared);
  ~DbFile();
  DbFile(DbFile&&) noexcept;
  DbFile& operator=(DbFile&&) noexcept;

  const std::string& path() const;
  std::uint64_t file_bytes() const;
  bolt::DB& db();
  bolt::Tx& tx();

 private:
  struct Impl;
  explicit DbFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Reads the whole file and compares its SHA-256 with the trailer.
/// *Errors:* kCorruption if they differ, or if there is none and `required`.
Result<> check_trailer(FileSystem& fs, const std::string& path, bool required,
                       const Progress& progress = {});

/// Counts the faults of the page structure. *Errors:* kCorruption naming the first of them.
Result<> check_pages(DbFile& file);

}  // namespace truss::snaptool
