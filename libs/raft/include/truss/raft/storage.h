#pragma once

#include <cstdint>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "truss/raft/entry_ring.h"
#include "truss/raft/types.h"

namespace truss::raft {

enum class StorageError : std::uint8_t {
  kCompacted,          ///< the index lies at or before the snapshot
  kUnavailable,        ///< the index lies past the end
  kSnapshotNotReady,   ///< ask again later
  kSnapshotOutOfDate,  ///< a newer snapshot is already there
};

template <class T>
using StorageResult = tl::expected<T, StorageError>;

/// The durable (or soon durable) part of the log as the core reads it. The core never writes it:
/// its owner stores what Ready hands out.
///
/// Thread: the raft thread only.
/// Source: etcd-io/raft Storage.
class Storage {
 public:
  struct InitialState {
    HardState hard_state;
    ConfState conf_state;
  };

  virtual ~Storage() = default;
  /// What was saved before a restart; empty for a fresh node.
  virtual InitialState initial_state() const = 0;
  /// Appends entries [lo, hi) to `out`, stopping before their encoded size passes `max_bytes`, but
  /// never before the first. *Errors:* kCompacted, kUnavailable.
  virtual StorageResult<void> entries(Index lo, Index hi, std::uint64_t max_bytes,
                                      std::vector<Entry>& out) const = 0;
  /// Term of entry `index`, which must be in [first_index()-1, last_index()]. The term just before
  /// the first entry stays known for the sake of the log check. *Errors:* kCompacted, kUnavailable.
  virtual StorageResult<Term> term(Index index) const = 0;
  /// Index of the first entry not yet compacted; last_index()+1 if there is none.
  virtual Index first_index() const = 0;
  virtual Index last_index() const = 0;
  /// The newest snapshot, to be sent to a peer that lags behind first_index().
  /// *Errors:* kSnapshotNotReady.
  virtual StorageResult<Snapshot> snapshot() const = 0;
};

/// The whole log tail in memory, in front of a WAL that its owner writes. Payloads are shared.
///
/// Thread: the raft thread only. Durability: none by itself.
/// Source: etcd-io/raft MemoryStorage.
class MemoryStorage : public Storage {
 public:
  InitialState initial_state() const override;
  StorageResult<void> entries(Index lo, Index hi, std::uint64_t max_bytes,
                              std::vector<Entry>& out) const override;
  StorageResult<Term> term(Index index) const override;
  Index first_index() const override { return compacted_index_ + 1; }
  Index last_index() const override { return compacted_index_ + log_.size(); }
  /// The snapshot last created or applied. Compacting does not touch it, so it may be newer or
  /// older than first_index()-1.
  StorageResult<Snapshot> snapshot() const override;

  void set_hard_state(const HardState& state) { hard_state_ = state; }
  const HardState& hard_state() const { return hard_state_; }
  /// Replaces the log from entries.front().index on; entries already compacted are skipped.
  /// Caution: a gap after last_index() breaks an invariant and ends the process.
  void append(std::span<const Entry> entries);
  /// The same, taking the entries' bytes: saves touching their reference counts.
  void adopt(std::span<Entry> entries);
  /// Replaces everything by `snapshot`. *Errors:* kSnapshotOutOfDate.
  StorageResult<void> apply_snapshot(const Snapshot& snapshot);
  /// Makes the snapshot at `index` (applied, in the log) the newest one, with the log left alone.
  /// *Errors:* kSnapshotOutOfDate if the newest one is at or after it; kUnavailable past the end.
  StorageResult<Snapshot> create_snapshot(Index index, const ConfState& conf_state,
                                          SharedBytes data);
  /// Drops the entries up to and including `index`. *Errors:* kCompacted, kUnavailable.
  StorageResult<void> compact(Index index);
  /// Sets what initial_state() returns as membership (after a restart, from the newest snapshot).
  void set_conf_state(const ConfState& state) { newest_.metadata.conf_state = state; }

 private:
  /// How many of `entries` are compacted already; the log ends just before the next one.
  std::size_t make_room(std::span<const Entry> entries);

  HardState hard_state_;
  Index compacted_index_;  // the last entry dropped
  Term compacted_term_;    // its term, still known
  Snapshot newest_;        // what snapshot() hands out
  EntryRing log_;          // entries (compacted_index_, last_index()]
};

}  // namespace truss::raft
