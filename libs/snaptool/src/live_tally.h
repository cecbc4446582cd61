#pragma once

#include <memory>
#include <optional>

#include "compacted_keys.h"
#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/schema/meta.h"

namespace truss::snaptool {

/// Counts living keys by adding up, in any order, without remembering one: a life begins with a
/// record of version 1 and ends with a tombstone; of what a finished compaction went over, it left
/// one record of each living key. Whether it did is looked at too. Copies share what they saw of
/// it.
class LiveTally {
 public:
  /// Nothing if a compaction was ordered and not finished: then those records say nothing.
  static std::optional<LiveTally> of(const schema::Meta& meta);

  /// An entry of bucket `key`. *Errors:* kCorruption.
  Result<> count(ByteView key, ByteView value);
  void add(const LiveTally& other) { balance_ += other.balance_; }
  /// Negative if the history isn't one that etcd writes.
  std::int64_t balance() const { return balance_; }
  /// True if records lie below the revision compacted at that a finished compaction would have
  /// removed: then the balance says nothing. Of more than two million keys there a part is looked
  /// at.
  bool doubtful() const { return compacted_keys_->doubt(); }

 private:
  explicit LiveTally(std::int64_t compacted)
      : compacted_(compacted), compacted_keys_(std::make_shared<CompactedKeys>()) {}

  std::int64_t compacted_;
  std::shared_ptr<CompactedKeys> compacted_keys_;
  std::int64_t balance_ = 0;
};

}  // namespace truss::snaptool
