#include "store_impl.h"
#include "truss/schema/revision.h"

/// Compaction: noted and committed at once, then the index and the records in slices.
namespace truss::mvcc {
namespace {

constexpr std::size_t kIndexSlice = 2'000;  // keys compacted under one hold of the lock

std::string compaction_mark(std::int64_t revision) {
  return std::string(RevisionKey({revision, 0}).view());
}

}  // namespace

Result<> Store::Impl::compact(std::int64_t revision, Task done) {
  {
    std::unique_lock lock(mutex);
    const bool too_old = revision <= compacted;
    if (too_old || revision > current) {
      lock.unlock();
      // etcd lets a physical compaction wait for those before it even when it is refused.
      if (done) enqueue_compaction(-1, std::move(done));
      return tl::unexpected(too_old ? errors::compacted() : errors::future_revision());
    }
    compacted = revision;
  }
  backend->put(schema::BucketId::kMeta, schema::kScheduledCompactKey, compaction_mark(revision));
  enqueue_compaction(revision, std::move(done));
  return {};
}

void Store::Impl::enqueue_compaction(std::int64_t revision, Task done) {
  std::lock_guard lock(jobs_mutex);
  CompactionJob& job = jobs.emplace_back();
  job.revision = revision;
  if (done) job.done.push_back(std::move(done));
  if (jobs.size() > 1) return;
  background.post([impl = shared_from_this()] { impl->run_compaction(); });
}

void Store::Impl::retry_compaction(Duration after) {
  background.post_at(clock.now() + after, [impl = shared_from_this()] { impl->run_compaction(); });
}

std::int64_t Store::Impl::running_compaction() {
  std::lock_guard lock(jobs_mutex);
  return jobs.front().revision;
}

void Store::Impl::forget_compactions() {
  std::lock_guard lock(jobs_mutex);
  for (CompactionJob& job : jobs) job.revision = -1;
}

void Store::Impl::run_compaction() {
  const std::int64_t revision = running_compaction();
  compaction_key.clear();
  compaction_record = {};
  if (revision < 0) return compaction_finished();
  // A reader pinned before the compaction was asked for still needs the index as it is.
  if (reader_before(revision)) return retry_compaction(options.compaction_pause);
  compact_index();
}

void Store::Impl::compact_index() {
  const std::int64_t revision = running_compaction();
  std::optional<std::string> next;
  {
    const ScopedTime timed(clock, metrics.index_pauses);
    std::unique_lock lock(mutex);
    next = index.compact(revision, options.keep_tombstone_at_compact, compaction_key, kIndexSlice);
  }
  if (next) {
    compaction_key = *std::move(next);
    background.post([impl = shared_from_this()] { impl->compact_index(); });
    return;
  }
  // The schedule, and every record the slices will look at, must be in bolt first.
  backend->commit(
      [impl = shared_from_this()] { impl->background.post([impl] { impl->compact_records(); }); });
}

void Store::Impl::compact_records() {
  if (compaction_record == Revision{}) compaction_started = clock.now();
  const auto slice = std::make_shared<CompactionSlice>();
  backend->update(
      [impl = shared_from_this(), slice](bolt::Tx& tx) -> Result<> {
        TRUSS_ASSIGN(*slice,
                     impl->compact_slice(tx, impl->running_compaction(), impl->compaction_record));
        return {};
      },
      [impl = shared_from_this(), slice](Result<> outcome) {
        impl->records_sliced(std::move(outcome), *slice);
      });
}

Result<CompactionSlice> Store::Impl::compact_slice(bolt::Tx& tx, std::int64_t at, Revision from) {
  CompactionSlice slice{from};
  if (at < 0) return CompactionSlice{from, true};  // the store was reset meanwhile
  const MonoTime start = clock.now();
  TRUSS_ASSIGN(auto keys, tx.create_bucket_if_absent(schema::bucket_name(schema::BucketId::kKey)));
  auto cursor = keys.cursor();
  TRUSS_ASSIGN(auto pair, cursor.seek(RevisionKey(from).view()));
  std::shared_lock lock(mutex);
  slice.finished = !pair;
  for (std::uint64_t n = 0; !slice.finished && n < options.compaction_batch_limit; ++n) {
    TRUSS_ASSIGN(const auto decoded, schema::decode_revision(pair->key));
    slice.finished = decoded.revision.main > at;
    if (slice.finished) break;
    slice.next = {decoded.revision.main, decoded.revision.sub + 1};
    TRUSS_ASSIGN(const auto kv, schema::decode_key_value(pair->value));
    const KeyEntry* entry = index.find(kv.key);
    if (!entry || !entry->has(decoded.revision)) {
      TRUSS_TRY(cursor.remove());
      ++slice.removed;
    }
    TRUSS_ASSIGN(pair, cursor.next());
    slice.finished = !pair;
  }
  lock.unlock();
  if (!slice.finished) {
    metrics.slices.add(clock.now() - start);
    return slice;
  }
  TRUSS_ASSIGN(auto meta, tx.create_bucket_if_absent(schema::bucket_name(schema::BucketId::kMeta)));
  TRUSS_TRY(meta.put(schema::kFinishedCompactKey, compaction_mark(at)));
  return slice;
}

void Store::Impl::records_sliced(Result<> outcome, CompactionSlice slice) {
  if (!outcome) {
    logger.error("compaction stopped; it is resumed at the next start",
                 {{"error", ByteView(outcome.error().message)}});
    return compaction_finished();
  }
  metrics.compacted_records.fetch_add(slice.removed, std::memory_order_relaxed);
  if (slice.finished) {
    metrics.compactions.add(clock.now() - compaction_started);
    metrics.last_compaction_seconds = clock.wall().time_since_epoch() / std::chrono::seconds(1);
    return compaction_finished();
  }
  compaction_record = slice.next;
  background.post_at(clock.now() + options.compaction_pause,
                     [impl = shared_from_this()] { impl->compact_records(); });
}

void Store::Impl::compaction_finished() {
  std::vector<Task> done;
  {
    std::lock_guard lock(jobs_mutex);
    done.swap(jobs.front().done);
    jobs.pop_front();
    if (!jobs.empty()) background.post([impl = shared_from_this()] { impl->run_compaction(); });
  }
  for (Task& task : done) task();
}

}  // namespace truss::mvcc
