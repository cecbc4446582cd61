#pragma once

#include <absl/container/flat_hash_set.h>

#include "fingerprint.h"

namespace truss::snaptool {

/// Counts the keys that are alive at the end of a history, in bounded memory: when too many are
/// alive at a time it keeps to a share of all keys, and wants the history again for the others.
class LiveKeyCounter {
 public:
  /// `max_keys` are remembered at a time (about 40 bytes each).
  explicit LiveKeyCounter(std::size_t max_keys = 2'000'000) : max_keys_(max_keys) {}

  void put(ByteView key) {
    const Fingerprint f = fingerprint(key);
    if (f.high < from_ || f.high > last_) return;
    live_.insert(f);
    if (live_.size() > max_keys_) narrow();
  }
  void remove(ByteView key) {
    const Fingerprint f = fingerprint(key);
    if (f.high >= from_ && f.high <= last_) live_.erase(f);
  }
  /// The history is over. True if it is wanted once more.
  bool again() {
    count_ += live_.size();
    live_.clear();
    if (last_ == UINT64_MAX) return false;
    from_ = last_ + 1;
    last_ = UINT64_MAX;
    return true;
  }
  std::uint64_t count() const { return count_; }

 private:
  /// Half of the present share, until it fits.
  void narrow() {
    while (live_.size() > max_keys_ && last_ > from_) {
      last_ = from_ + (last_ - from_) / 2;
      absl::erase_if(live_, [&](const Fingerprint& f) { return f.high > last_; });
    }
  }

  const std::size_t max_keys_;
  absl::flat_hash_set<Fingerprint, FingerprintHash> live_;
  std::uint64_t from_ = 0, last_ = UINT64_MAX;  // shares are ranges of `high`, both ends included
  std::uint64_t count_ = 0;
};

}  // namespace truss::snaptool
