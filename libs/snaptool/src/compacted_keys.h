#pragma once

#include <absl/container/flat_hash_set.h>

#include <array>
#include <atomic>
#include <mutex>

#include "fingerprint.h"

namespace truss::snaptool {

/// Looks whether a compaction left what a finished one leaves: one record of a key and no
/// tombstone. Remembers a share of the keys when there are too many. *Thread:* any.
class CompactedKeys {
 public:
  /// `max_keys` are remembered (about 20 bytes each).
  explicit CompactedKeys(std::size_t max_keys = 2'000'000) : max_in_shard_(max_keys / kShards) {}

  /// A record at or below the revision compacted at.
  void put(ByteView key) {
    const Fingerprint f = fingerprint(key);
    if (f.high > last_.load(std::memory_order_relaxed)) return;
    Shard& shard = shards_[f.low % kShards];
    const std::lock_guard lock(shard.mutex);
    if (!shard.keys.insert(f).second) doubtful();
    if (shard.keys.size() > max_in_shard_) narrow(shard);
  }
  /// What was seen is not what a finished compaction leaves.
  void doubtful() { doubt_.store(true, std::memory_order_relaxed); }
  bool doubt() const { return doubt_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    std::mutex mutex;
    absl::flat_hash_set<Fingerprint, FingerprintHash> keys;
  };

  /// Half of the present share, until it fits. The other shards follow when they are full.
  void narrow(Shard& shard) {
    std::uint64_t last = last_.load(std::memory_order_relaxed);
    const auto beyond = [&](const Fingerprint& f) { return f.high > last; };
    absl::erase_if(shard.keys, beyond);
    while (shard.keys.size() > max_in_shard_ && last > 0) {
      last /= 2;
      absl::erase_if(shard.keys, beyond);
    }
    std::uint64_t present = last_.load(std::memory_order_relaxed);
    while (present > last && !last_.compare_exchange_weak(present, last)) {
    }
  }

  const std::size_t max_in_shard_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> last_{UINT64_MAX};  // keys with a greater `high` are not looked at
  std::atomic<bool> doubt_{false};
};

}  // namespace truss::snaptool
