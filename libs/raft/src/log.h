#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "truss/raft/config.h"
#include "truss/raft/storage.h"
#include "truss/raft/types.h"
#include "unstable.h"

namespace truss::raft {

/// The last entry of a log, for the comparison of logs.
struct EntryId {
  Index index;
  Term term;
};

/// The whole log, Storage and unstable end as one, with its three marks.
///
///     first ... applied ... applying ... committed ... last
///
/// Invariant: applied <= applying <= committed <= last.
/// Source: etcd-io/raft raftLog.
class Log {
 public:
  /// `max_applying` bounds the encoded bytes of entries handed out and not yet applied.
  Log(const Storage& storage, std::uint64_t max_applying);

  Index first_index() const;
  Index last_index() const { return unstable_.end() - 1; }
  EntryId last() const { return {last_index(), last_term()}; }
  Term last_term() const;
  /// Term of `index`; kCompacted or kUnavailable outside [first_index()-1, last_index()].
  StorageResult<Term> term(Index index) const;
  bool matches(Index index, Term term) const;
  /// Whether a log that ends in `candidate` may lead ours (raft paper §5.4.1).
  bool is_up_to_date(EntryId candidate) const;
  /// The largest index at or below `index` whose term is at most `term`, with its term; a term of
  /// zero where the log does not know it.
  EntryId walk_back(Index index, Term term) const;

  /// Appends entries [lo, hi) to `out`, within `max_bytes` but at least one.
  StorageResult<void> slice(Index lo, Index hi, std::uint64_t max_bytes,
                            std::vector<Entry>& out) const;

  /// A leader's or bootstrap's own entries. Takes their bytes.
  void append(std::span<Entry> entries);
  /// A follower's: appends after (previous, term) what is new in `entries`, and commits up to
  /// `commit` as far as they reach. False if the log has no such previous entry.
  bool try_append(Index previous, Term term, Index commit, std::span<Entry> entries);
  void restore(const Snapshot& snapshot);

  Index committed() const { return committed_; }
  Index applying() const { return applying_; }
  Index applied() const { return applied_; }
  /// Raises the commit mark. Caution: past the end it ends the process.
  void commit_to(Index index);
  /// Raises the commit mark to `index` if that entry is of `term` (raft paper §5.4.2).
  bool try_commit(Index index, Term term);
  /// For restart and bootstrap only.
  void set_committed(Index index) { committed_ = index; }

  const Unstable& unstable() const { return unstable_; }
  void accept_unstable() { unstable_.accept(); }
  void stable_to(Index index, Term term) { unstable_.stable_to(index, term); }
  void stable_snapshot_to(Index index) { unstable_.stable_snapshot_to(index); }
  bool has_pending_snapshot() const { return unstable_.snapshot().has_value(); }

  /// `allow_unstable`: whether committed entries not yet in Storage count.
  bool has_committed(bool allow_unstable) const;
  /// Fills `out` with the next entries to apply, within what is left of max_applying.
  void next_committed(bool allow_unstable, std::vector<Entry>& out) const;
  /// Whether the sizes given to the next two matter.
  bool applying_limited() const { return max_applying_ != kNoLimit; }
  void accept_applying(Index index, std::uint64_t bytes, bool allow_unstable);
  void applied_to(Index index, std::uint64_t bytes);
  /// Whether a conf change is committed and not yet applied.
  bool has_unapplied_conf_change() const;

  StorageResult<Snapshot> snapshot() const;
  const Storage& storage() const { return storage_; }

 private:
  Index appliable(bool allow_unstable) const;
  /// The first of `entries` that our log lacks or contradicts; their count if none.
  std::size_t find_conflict(std::span<const Entry> entries) const;

  const Storage& storage_;
  Unstable unstable_;
  Index committed_;
  Index applying_;
  Index applied_;
  std::uint64_t max_applying_;
  std::uint64_t applying_bytes_ = 0;
  bool applying_paused_ = false;
};

}  // namespace truss::raft
