#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "truss/snaptool/db_file.h"

namespace truss::snaptool {

/// What was found in a file while proving it sound.
struct Inventory {
  bool hashed = false;  ///< the SHA-256 behind the image is right
  std::uint64_t page_bytes = 0;
  std::uint64_t image_bytes = 0;
  std::uint64_t records = 0;     ///< in bucket `key`
  std::uint64_t tombstones = 0;  ///< of these
  std::uint64_t keys = 0;        ///< that the rebuilt index knows, dead ones too
  std::uint64_t live_keys = 0;
  std::uint64_t leases = 0;
  std::uint64_t members = 0;
  std::int64_t revision = 0;
  std::int64_t compact_revision = -1;
  std::uint64_t faults = 0;
};

/// One line for each fault; `place` is `trailer`, `pages`, or a bucket's name.
using FaultSink = std::function<void(std::string_view place, const std::string& what)>;

/// Proves that a restore from the file would work: its SHA-256 (its absence is a fault unless
/// `skip_hash_check`), every page reachable once, every key and value of every bucket of etcd's
/// decodes and is in canonical form, revisions, versions and leases fit together, and the key index
/// can be rebuilt. Goes on after a fault wherever there is more to see.
/// *Errors:* only what keeps it from reading at all: I/O, kNotFound, kUnavailable.
Result<Inventory> verify(FileSystem& fs, const std::string& path, bool skip_hash_check,
                         const FaultSink& fault, const Progress& progress = {});

}  // namespace truss::snaptool
