#pragma once

#include <cstdint>
#include <string>

#include "truss/snap/image.h"
#include "truss/snaptool/db_file.h"

namespace truss::snaptool {

struct CutOptions {
  std::string source;   ///< db or snapshot file, or a data directory
  std::string path;     ///< of the snapshot file to be made; an older one there is replaced
  bool in_use = false;  ///< also from a db that a running process has locked, if that succeeds
};

struct Cut {
  std::uint64_t image_bytes = 0;
  snap::ImageHash hash{};
  std::uint64_t consistent_index = 0;  ///< the last log entry that the db holds
  std::int64_t revision = 0;
  std::uint64_t tries = 1;
};

/// Makes a snapshot file, with its SHA-256, of a db that no member serves. The pages are checked
/// first: a damaged db gets no seal. With `in_use` a db under a foreign lock is copied too, and the
/// copy kept only if its proof holds: pages are never changed in place, and those of one commit are
/// written over two commits later at the earliest, so a copy made while the newest commit stayed
/// the same is that commit.
/// *Errors:* kUnavailable if a process has the db locked (with in_use: if it committed during each
/// try); kCorruption; I/O. *Durability:* file and name are on disk when it returns.
Result<Cut> cut(FileSystem& fs, const CutOptions& options, const Progress& progress = {});

}  // namespace truss::snaptool
