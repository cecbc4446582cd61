#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/mvcc/backend.h"
#include "truss/mvcc/errors.h"
#include "truss/mvcc/kv.h"
#include "truss/mvcc/metrics.h"
#include "truss/mvcc/record_scout.h"
#include "truss/mvcc/requests.h"
#include "truss/mvcc/watch.h"

namespace truss::mvcc {

/// Which keys hang on which lease; the lessor implements it.
/// Thread: apply.
class LeaseLinks {
 public:
  virtual ~LeaseLinks() = default;
  virtual bool contains(LeaseId lease) const = 0;
  /// The lease of a key, kNoLease if none.
  virtual LeaseId lease_of(ByteView key) const = 0;
  /// The lease exists.
  virtual void attach(LeaseId lease, ByteView key) = 0;
  virtual void detach(LeaseId lease, ByteView key) = 0;
};

struct StoreOptions {
  std::uint64_t compaction_batch_limit = 1000;  ///< revisions of one slice
  Duration compaction_pause = std::chrono::milliseconds(10);
  /// Keep a tombstone whose revision is the compacted one (3.4.34, 3.5.16, 3.6 and later);
  /// 3.4.23 deletes it. HashKV is the same either way.
  bool keep_tombstone_at_compact = false;
  /// HashKV at exactly the compacted revision answers (3.5.33 and later) or fails (3.4.23).
  bool hash_at_compact = false;
  Duration watch_victim_retry = std::chrono::milliseconds(10);
};

/// Counts since open, for metrics.
struct StoreCounters {
  std::uint64_t ranges = 0;
  std::uint64_t puts = 0;
  std::uint64_t deletes = 0;  ///< delete requests, not keys
  std::uint64_t txns = 0;     ///< write transactions of more than one operation
  std::uint64_t put_bytes = 0;
};

struct HashKv {
  std::uint32_t hash = 0;
  std::int64_t hash_revision = 0;     ///< the revision hashed
  std::int64_t compact_revision = 0;  ///< -1: never compacted
  std::int64_t current_revision = 0;
};

/// A consistent view of all keys at the revision current when it was made. Delays the key index's
/// compaction, nothing else; keep it short.
/// Thread: one.
class ReadTxn {
 public:
  ReadTxn(ReadTxn&&) noexcept;
  ReadTxn& operator=(ReadTxn&&) noexcept;
  ~ReadTxn();
  std::int64_t revision() const;
  std::int64_t compact_revision() const;
  /// Errors: compacted, future_revision, kCorruption.
  Result<RangeResult> range(const RangeRequest& request);

 private:
  friend class Store;
  struct Impl;
  explicit ReadTxn(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A write transaction: all its changes share the main revision `begin_revision() + 1`; readers see
/// none of them before it ends, all of them after. Ended by end() or the destructor; it cannot be
/// undone, so check first.
/// Thread: apply, one at a time.
class WriteTxn {
 public:
  WriteTxn(WriteTxn&&) noexcept;
  WriteTxn& operator=(WriteTxn&&) = delete;
  ~WriteTxn();

  std::int64_t begin_revision() const;
  std::int64_t compact_revision() const;
  /// begin_revision() plus one if anything was changed: what a response header says.
  std::int64_t revision() const;
  /// Sees the transaction's own writes. Errors: as ReadTxn::range, with revision() as current.
  Result<RangeResult> range(const RangeRequest& request);
  /// Writes one key, attaching it to `lease` (which exists) and detaching it from another.
  void put(ByteView key, ByteView value, LeaseId lease);
  /// Deletes the keys in range; each becomes one sub revision, in key order. Returns their number.
  std::int64_t delete_range(ByteView key, ByteView range_end);
  bool contains(ByteView key) const;
  /// Publishes the changes and notifies watchers.
  void end();

 private:
  friend class Store;
  struct Impl;
  explicit WriteTxn(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The versioned key space: revisions, key index, compaction, HashKV, watches, over a Backend.
///
/// Thread: write(), compact() and install() on the apply thread; all else from any thread. Index
/// look-ups take a short shared lock; values are read without one.
class Store {
 public:
  /// Builds the index from the db (kCorruption names the revision), resumes an unfinished
  /// compaction. `background` runs compaction and watch replay; it must not be the backend
  /// executor's own thread of blocking work only if the caller wants replay beside commits.
  /// All references outlive the store. Blocking.
  static Result<std::unique_ptr<Store>> open(Backend& backend, Executor& background, Clock& clock,
                                             Logger& logger, StoreOptions options);
  /// Stop `background` first, or be on it.
  ~Store();

  /// Keys with their leases as the db has them go to links (each lease must be known to it; others
  /// are skipped); later puts and deletes too. Before the first write. Null: leases are ignored.
  void set_lease_links(LeaseLinks* links);
  LeaseLinks* lease_links() const;

  std::int64_t current_revision() const;
  /// -1: never compacted. The revision last asked for, even if its slices still run.
  std::int64_t compact_revision() const;

  /// Answers at the current revision, or the one asked for.
  Result<RangeResult> range(const RangeRequest& request);
  ReadTxn read();
  WriteTxn write();

  /// Drops history below `revision`. Reads below it fail at once; the schedule is committed; the
  /// deletion runs in slices, and `done` runs (on the backend executor) when it is finished and
  /// committed. `done` also runs, soon, when the answer is an error.
  /// Errors: compacted, future_revision.
  Result<> compact(std::int64_t revision, Task done = {});

  /// CRC of all keys up to `revision` (0: current) as disk-formats §7.1 has it.
  /// Errors: compacted, future_revision, kCorruption.
  Result<HashKv> hash_kv(std::int64_t revision);

  /// Goes over to the database file `received` (see Backend::replace) and an index built from it,
  /// both at once for every reader; then runs `done` on the backend executor. Watches replay what
  /// they lack, or are cancelled if it was compacted; unfinished compactions are taken up as the
  /// new database has them. Leases: restore the lessor in `done`'s wake, then set_lease_links()
  /// again. No write between the call and `done`. `scout`, if there is one, saw the file come in,
  /// so that most of it needn't be read now. Thread: apply.
  void install(std::string received, Task done, std::shared_ptr<RecordScout> scout = nullptr);

  std::unique_ptr<WatchStream> watch_stream(std::shared_ptr<WatchSink> sink);
  WatchStats watch_stats() const;
  StoreCounters counters() const;
  /// Lives as long as the store.
  const StoreMetrics& metrics() const;
  /// Number of keys in the index, deleted ones with history included. For metrics.
  std::uint64_t index_size() const;
  /// Number of keys that are not deleted. For metrics.
  std::uint64_t live_keys() const;

  struct Impl;

 private:
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace truss::mvcc
