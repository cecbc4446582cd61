#pragma once

#include <cstdint>

#include "truss/bolt/bolt.h"
#include "truss/common/error.h"

namespace truss::snaptool {

/// What a member that serves this db answers to Maintenance.HashKV.
struct HashKv {
  std::uint32_t hash = 0;
  std::int64_t hash_revision = 0;
  std::int64_t current_revision = 0;
  std::int64_t compact_revision = -1;  ///< -1: never compacted
};

/// HashKV as of `revision`; 0: the newest. Its memory grows with the number of keys last changed
/// before the compaction, not with the file.
/// *Errors:* kOutOfRange with etcd's words for a compacted or a future revision; kCorruption.
/// *Source:* etcd mvcc/kvstore.go HashByRev, mvcc/hash.go.
Result<HashKv> hash_kv(bolt::Tx& tx, std::int64_t revision);

}  // namespace truss::snaptool
