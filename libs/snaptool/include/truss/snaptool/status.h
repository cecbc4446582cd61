#pragma once

#include <cstdint>
#include <string>

#include "truss/snaptool/db_file.h"

namespace truss::snaptool {

/// What `etcdctl snapshot status` says of a file, and a little more.
struct Status {
  std::uint32_t hash = 0;         ///< CRC-32C of every bucket's name, then its keys and values
  std::int64_t revision = 0;      ///< of the newest record; 0 without any
  std::uint64_t total_keys = 0;   ///< entries of all buckets (etcdctl 3.4, 3.5)
  std::uint64_t live_keys = 0;    ///< keys with a value now (etcdutl 3.6)
  std::uint64_t total_bytes = 0;  ///< of the image: high-water mark times page size
  std::string version;            ///< storage version, "3.6.0"; empty before 3.6
  bool hashed = false;            ///< a SHA-256 follows the image, and it was found right
};

struct StatusOptions {
  /// Compare the trailer, if there is one, with the SHA-256 of the image; etcd's own tools don't.
  bool check_hash = false;
  bool any_size = false;  ///< read a file that was cut off or appended to, as far as it goes
  unsigned threads = 1;
};

/// Reads the file through, in bounded memory, and checks the page structure on the way. What it
/// gives in `hash` tells a damaged value only to who knows the right one.
/// *Errors:* kCorruption naming file and place; those of DbFile::open.
/// *Source:* etcd clientv3/snapshot/v3_snapshot.go Status, etcdutl/snapshot/v3_snapshot.go.
Result<Status> read_status(FileSystem& fs, const std::string& path,
                           const StatusOptions& options = {}, const Progress& progress = {});

/// Keys that have a value as of `revision`. *Errors:* kCorruption.
Result<std::uint64_t> count_live_keys(bolt::Tx& tx, std::int64_t revision = INT64_MAX);

}  // namespace truss::snaptool
