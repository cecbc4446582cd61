#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/check.h"
#include "truss/common/executor.h"
#include "truss/mvcc/kv.h"
#include "truss/schema/buckets.h"

namespace truss::mvcc {

/// A record of bucket `key` that is not in bolt yet.
struct StoredRecord {
  Revision revision;
  bool tombstone = false;
  SharedBytes bytes;
};

/// Records in ascending revision order, only ever appended to. Elements never move, so a reader
/// that learnt size() under the lock may read [0, size) without it while the writer appends.
class RecordLog {
 public:
  void append(StoredRecord record) {
    TRUSS_CHECK(size_ == 0 || (*this)[size_ - 1].revision < record.revision);
    const Place place = place_of(size_);
    auto& chunk = chunks_[place.chunk];
    if (!chunk) chunk = std::make_unique<StoredRecord[]>(kFirstChunk << place.chunk);
    chunk[place.offset] = std::move(record);
    ++size_;
  }
  std::size_t size() const { return size_; }
  const StoredRecord& operator[](std::size_t i) const {
    const Place place = place_of(i);
    return chunks_[place.chunk][place.offset];
  }

 private:
  static constexpr std::size_t kFirstChunk = 64;  // chunk c holds kFirstChunk << c records
  struct Place {
    std::size_t chunk;
    std::size_t offset;
  };
  static Place place_of(std::size_t i) {
    const std::size_t chunk = static_cast<std::size_t>(std::bit_width(i / kFirstChunk + 1)) - 1;
    return {chunk, i - kFirstChunk * ((std::size_t{1} << chunk) - 1)};
  }

  std::array<std::unique_ptr<StoredRecord[]>, 40> chunks_;
  std::size_t size_ = 0;
};

/// What one bolt transaction will write. The open batch is guarded by the backend's lock; a closed
/// one is immutable (but for `waiters`).
struct Batch {
  using OtherKey = std::pair<schema::BucketId, std::string>;

  RecordLog records;
  std::map<OtherKey, std::optional<std::string>> others;  ///< nullopt: removed
  std::uint64_t operations = 0;
  std::uint64_t consistent_index = 0;
  std::uint64_t term = 0;
  std::vector<Task> waiters;  ///< run when it is committed
  TimerId timer = TimerId::kNone;

  bool dirty() const { return operations > 0; }
};

/// The first `size` records of a batch, pinned.
struct BatchSlice {
  std::shared_ptr<const Batch> batch;
  std::size_t size = 0;

  /// Index of the first record with revision >= `revision`, `size` if none.
  std::size_t lower_bound(Revision revision) const {
    std::size_t low = 0, high = size;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (batch->records[middle].revision < revision)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }
};

}  // namespace truss::mvcc
