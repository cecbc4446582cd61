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

std::size_t MemoryStorage::make_room(std::span<const Entry> entries) {
  std::size_t old = 0;
  while (old < entries.size() && entries[old].index <= compacted_index_) ++old;
  if (old == entries.size()) return old;
  TRUSS_CHECK(entries[old].index <= last_index() + 1, "gap in the raft log");
  log_.truncate(entries[old].index - first_index());
  return old;
}

void MemoryStorage::append(std::span<const Entry> entries) {
  for (const Entry& entry : entries.subspan(make_room(entries))) log_.push_back(entry);
}

void MemoryStorage::adopt(std::span<Entry> entries) {
  for (Entry& entry : entries.subspan(make_room(entries))) log_.push_back(std::move(entry));
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
