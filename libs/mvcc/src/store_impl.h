#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "bytes_hash.h"
#include "key_index.h"
#include "shared_mutex.h"
#include "truss/mvcc/store.h"
#include "watch_hub.h"

namespace truss::mvcc {

/// One compaction asked for; they run one after the other.
struct CompactionJob {
  std::int64_t revision = 0;  ///< -1: nothing to do but to run `done`
  std::vector<Task> done;
};

/// What one slice of a compaction found.
struct CompactionSlice {
  Revision next;
  bool finished = false;
  std::uint64_t removed = 0;
};

struct Store::Impl final : WatchSource, std::enable_shared_from_this<Store::Impl> {
  Impl(Backend& backend_, Executor& background_, Clock& clock_, Logger& logger_,
       StoreOptions options_)
      : backend(&backend_),
        background(background_),
        clock(clock_),
        logger(logger_),
        options(options_) {}

  // Start (restore.cc).
  struct Restored {
    std::vector<KeyEntry::Ptr> entries;
    BytesMap<LeaseId> leases;
    std::int64_t newest = 1;
    std::int64_t scheduled = -1;
    std::int64_t finished = -1;
  };
  /// `scout` may be null.
  static Result<Restored> read_index(ReadView records, const schema::Meta& meta,
                                     RecordScout* scout);
  void take(Restored restored);
  Result<> restore();
  /// Goes over to another database: `adopt` switches the backend.
  Result<> switch_to(ReadView records, const schema::Meta& meta, RecordScout* scout,
                     const std::function<void()>& adopt);
  void attach_restored_leases();

  // Reading (range.cc).
  struct Found {
    std::vector<Revision> revisions;
    std::int64_t count = 0;
  };
  /// Looks up in the index; `limit` 0 = all. Needs the lock.
  Found find_locked(const KeyRange& range, std::int64_t at, std::size_t limit) const;
  /// The revision to read at. Needs the lock.
  Result<std::int64_t> read_revision_locked(std::int64_t wanted, std::int64_t now) const;
  /// `now`: what the caller takes for the current revision.
  Result<RangeResult> range(const RangeRequest& request, std::int64_t now);

  // Compaction (compaction.cc).
  Result<> compact(std::int64_t revision, Task done);
  void enqueue_compaction(std::int64_t revision, Task done);
  std::int64_t running_compaction();
  void forget_compactions();
  void run_compaction();
  void retry_compaction(Duration after);
  void compact_index();
  void compact_records();
  void records_sliced(Result<> outcome, CompactionSlice slice);
  void compaction_finished();
  Result<CompactionSlice> compact_slice(bolt::Tx& tx, std::int64_t at, Revision from);
  bool reader_before(std::int64_t revision);

  // WatchSource
  std::int64_t current_revision() const override {
    std::shared_lock lock(mutex);
    return current;
  }
  std::int64_t compact_revision() const override {
    std::shared_lock lock(mutex);
    return compacted;
  }
  Result<ReadView> view(Revision oldest) override;
  std::optional<KeyValue> value_at(ByteView key, std::int64_t revision) override;

  /// Pins the index against compactions asked for later.
  void add_reader_locked(std::int64_t revision);
  void drop_reader(std::int64_t revision);

  struct Counters {
    std::atomic<std::uint64_t> ranges{0};
    std::atomic<std::uint64_t> puts{0};
    std::atomic<std::uint64_t> deletes{0};
    std::atomic<std::uint64_t> txns{0};
    std::atomic<std::uint64_t> put_bytes{0};
  };
  Counters counters;
  StoreMetrics metrics;
  Backend* const backend;
  Executor& background;
  Clock& clock;
  Logger& logger;
  const StoreOptions options;

  mutable SharedMutex mutex;  // taken before the backend's own
  KeyIndex index;
  std::int64_t current = 1;
  std::int64_t compacted = -1;
  std::uint64_t generation = 0;  // databases gone over to

  std::mutex readers_mutex;  // taken after `mutex`
  std::multiset<std::int64_t> readers;

  std::mutex jobs_mutex;
  std::deque<CompactionJob> jobs;  // the front one runs
  // How far it got; handed from task to task of the running one.
  std::string compaction_key;
  Revision compaction_record;
  MonoTime compaction_started{};

  LeaseLinks* links = nullptr;
  BytesMap<LeaseId> restored_leases;
  std::shared_ptr<WatchHub> hub;
};

}  // namespace truss::mvcc
