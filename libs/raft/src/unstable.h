#pragma once

#include <optional>
#include <span>

#include "truss/raft/entry_ring.h"
#include "truss/raft/types.h"

namespace truss::raft {

/// The end of the log that Storage does not hold yet: perhaps a snapshot, then entries.
///
///     storage | offset ... in_progress-1 | in_progress ... end-1
///             |  handed out by a Ready    |  still to be handed out
///
/// Invariant: offset <= in_progress <= end; the entries are contiguous.
/// Source: etcd-io/raft unstable.
class Unstable {
 public:
  explicit Unstable(Index offset) : offset_(offset), in_progress_(offset) {}

  Index offset() const { return offset_; }
  Index in_progress() const { return in_progress_; }
  /// One past the last index.
  Index end() const { return offset_ + entries_.size(); }
  bool empty() const { return entries_.empty(); }
  const Entry& at(Index index) const { return entries_[index - offset_]; }
  bool has_next() const { return in_progress_ < end(); }
  const std::optional<Snapshot>& snapshot() const { return snapshot_; }
  bool has_next_snapshot() const { return snapshot_ && !snapshot_in_progress_; }
  /// Term of `index`, if it is here.
  std::optional<Term> term(Index index) const;

  /// Adds entries; those from entries.front().index on are replaced. Takes their bytes.
  void append(std::span<Entry> entries);
  /// Starts anew behind `snapshot`.
  void restore(const Snapshot& snapshot);
  /// Everything here was handed out.
  void accept();
  /// Storage holds the entries up to (index, term). Ignored if they were replaced since.
  void stable_to(Index index, Term term);
  void stable_snapshot_to(Index index);

 private:
  std::optional<Snapshot> snapshot_;
  EntryRing entries_;
  Index offset_;
  Index in_progress_;
  bool snapshot_in_progress_ = false;
};

}  // namespace truss::raft
