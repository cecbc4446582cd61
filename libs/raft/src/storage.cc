#include "truss/raft/storage.h"

#include "truss/common/check.h"
#include "truss/raft/codec.h"

namespace truss::raft {

namespace {

tl::unexpected<StorageError> refuse(StorageError error) {
  return tl::unexpected<StorageError>(error);
}

}  // namespace

Storage::InitialState MemoryStorage::initial_state() const {
  return {hard_state_, newest_.metadata.conf_state};
}

StorageResult<void> MemoryStorage::entries(Index lo, Index hi, std::uint64_t max_bytes,
                                           std::vector<Entry>& out) const {
  if (lo <= compacted_index_) return refuse(StorageError::kCompacted);
  if (hi > last_index() + 1) return refuse(StorageError::kUnavailable);
  std::uint64_t bytes = 0;
  for (Index i = lo; i < hi; ++i) {
    const Entry& entry = log_[i - first_index()];
    if (max_bytes != UINT64_MAX) {
      bytes += encoded_size(entry);
      if (bytes > max_bytes && i != lo) break;
    }
    out.push_back(entry);
  }
  return {};
}

StorageResult<Term> MemoryStorage::term(Index index) const {
  if (index < compacted_index_) return refuse(StorageError::kCompacted);
  if (index == compacted_index_) return compacted_term_;
  if (index > last_index()) return refuse(StorageError::kUnavailable);
  return log_[index - first_index()].term;
}

StorageResult<Snapshot> MemoryStorage::snapshot() const { return newest_; }

void MemoryStorage::append(std::span<const Entry> entries) {
  while (!entries.empty() && entries.front().index <= compacted_index_) {
    entries = entries.subspan(1);
  }
  if (entries.empty()) return;
  TRUSS_CHECK(entries.front().index <= last_index() + 1, "gap in the raft log");
  log_.truncate(entries.front().index - first_index());
  for (const Entry& entry : entries) log_.push_back(entry);
}

StorageResult<void> MemoryStorage::apply_snapshot(const Snapshot& snapshot) {
  if (snapshot.metadata.index <= newest_.metadata.index) {
    return refuse(StorageError::kSnapshotOutOfDate);
  }
  newest_ = snapshot;
  compacted_index_ = snapshot.metadata.index;
  compacted_term_ = snapshot.metadata.term;
  log_.clear();
  return {};
}

StorageResult<Snapshot> MemoryStorage::create_snapshot(Index index, const ConfState& conf_state,
                                                       SharedBytes data) {
  if (index <= newest_.metadata.index) return refuse(StorageError::kSnapshotOutOfDate);
  StorageResult<Term> at = term(index);
  if (!at) return refuse(at.error());
  newest_ = Snapshot{std::move(data), {conf_state, index, *at}};
  return newest_;
}

StorageResult<void> MemoryStorage::compact(Index index) {
  if (index <= compacted_index_) return refuse(StorageError::kCompacted);
  StorageResult<Term> at = term(index);
  if (!at) return refuse(at.error());
  log_.pop_front(index - compacted_index_);
  compacted_index_ = index;
  compacted_term_ = *at;
  return {};
}

}  // namespace truss::raft
