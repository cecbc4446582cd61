#pragma once

#include <atomic>
#include <cstdint>

#include "truss/bolt/bolt.h"
#include "truss/common/duration_counts.h"

/// What the store measures of itself since it was opened, for /metrics; with the buckets of etcd's
/// metrics of the same meaning. Thread: any.
namespace truss::mvcc {

struct BackendMetrics {
  DurationCounts commits;           ///< whole bolt commits of batches
  bolt::CommitTimes commit_phases;  ///< of every bolt commit
  DurationCounts defragmentations{std::chrono::milliseconds(100), 13};
  DurationCounts snapshots{std::chrono::milliseconds(10), 17};  ///< how long each was held open
  DurationCounts hashes{std::chrono::milliseconds(10), 15};
  std::atomic<bool> defragmenting{false};
};

struct StoreMetrics {
  DurationCounts hashes{std::chrono::milliseconds(10), 15};         ///< of hash_kv
  DurationCounts index_pauses{std::chrono::microseconds(500), 14};  ///< index locked by compaction
  DurationCounts slices{std::chrono::milliseconds(1), 13};          ///< of a compaction's records
  DurationCounts compactions{std::chrono::milliseconds(100), 14};   ///< of records, pauses included
  std::atomic<std::uint64_t> compacted_records{0};
  std::atomic<std::int64_t> last_compaction_seconds{0};  ///< Unix time of its end; 0: none
};

}  // namespace truss::mvcc
