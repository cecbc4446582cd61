#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "batch.h"
#include "shared_mutex.h"
#include "truss/mvcc/backend.h"

namespace truss::mvcc {

struct ReadView::Impl {
  std::shared_ptr<bolt::DB> db;  // outlives tx
  std::optional<bolt::Tx> tx;    // absent: everything asked for lies in memory
  std::optional<bolt::Bucket> keys;
  std::vector<BatchSlice> slices;  // oldest first

  /// The record in memory, null if it is not there.
  const StoredRecord* in_memory(Revision revision) const;
  /// Points the records at `places` (indexes into both) into the file; returns their bytes.
  /// Errors: kCorruption if one is missing.
  Result<std::size_t> fetch_bolt(std::span<const Revision> revisions, std::span<KeyValue> out,
                                 std::vector<std::size_t>& places);
  Unexpected missing(Revision revision) const;
  Result<> open_keys();
  /// Each returns false if the visitor stopped; `next` is the first revision not visited yet.
  Result<bool> scan_bolt(Revision& next, Revision last, const Visitor& visit);
  Result<bool> scan_memory(Revision& next, Revision last, const Visitor& visit);
};

struct Backend::Impl : std::enable_shared_from_this<Backend::Impl> {
  Impl(FileSystem& fs_, Executor& executor_, Clock& clock_, Process& process_, Logger& logger_,
       BackendOptions options_)
      : fs(fs_),
        executor(executor_),
        clock(clock_),
        process(process_),
        logger(logger_),
        options(std::move(options_)) {}

  Result<std::shared_ptr<bolt::DB>> open_db(const std::string& path, bool syncing,
                                            const bolt::KnownLeaves* leaves = nullptr);
  /// Makes absent buckets; what bucket `meta` says.
  static Result<schema::Meta> make_complete(bolt::DB& db);
  Result<> load();
  Result<> remove_leftovers();

  // Guarded by `mutex`: the functions named _locked hold it exclusively.
  void wrote_locked();
  void arm_timer_locked();
  bool can_close_locked() const { return holds == 0 && closed.size() < kMaxClosed; }
  void try_close_locked();
  void start_commit_locked();
  bool has_room_locked() const {
    return closed.size() < kMaxClosed || open->operations < options.batch_limit;
  }

  void timer_fired(const Batch* batch);
  void pass_gate(std::uint64_t index);
  void commit_front();
  Result<> write_batch(const Batch& batch);
  Result<> write_batch(bolt::Tx& tx, const Batch& batch);
  void run_update(const std::function<Result<>(bolt::Tx&)>& change,
                  const std::function<void(Result<>)>& done);
  Result<> run_defragment();
  void run_replace(const std::string& received, const bolt::KnownLeaves* leaves,
                   const Prepare& prepare);
  void adopt(std::shared_ptr<bolt::DB> fresh, const schema::Meta& meta);
  Result<> copy_to(bolt::DB& target);
  Result<> copy_bucket(bolt::DB& target, ByteView name, const bolt::Bucket& source);
  void post(Task task) { executor.post(std::move(task)); }
  std::shared_ptr<bolt::DB> current_db() const {
    std::shared_lock lock(mutex);
    return db;
  }

  static constexpr std::size_t kMaxClosed = 2;

  FileSystem& fs;
  Executor& executor;
  Clock& clock;
  Process& process;
  Logger& logger;
  const BackendOptions options;

  mutable SharedMutex mutex;
  std::shared_ptr<bolt::DB> db;  // replaced by a defragmentation and by replace()
  std::shared_ptr<Batch> open = std::make_shared<Batch>();
  std::deque<std::shared_ptr<Batch>> closed;  // oldest first, the front one is being committed
  int holds = 0;
  bool close_wanted = false;
  bool committing = false;
  bool shut = false;
  std::uint64_t consistent_index = 0;
  std::uint64_t term = 0;
  std::uint64_t batched_index = 0;    // of the newest closed batch
  std::uint64_t committed_index = 0;  // in bolt
  std::vector<Task> room_waiters;
  WalGate* gate = nullptr;
  std::function<void(std::uint64_t)> listener;
  BackendMetrics metrics;
};

}  // namespace truss::mvcc
