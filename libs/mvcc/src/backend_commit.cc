#include "backend_impl.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"

/// How the open batch becomes a bolt transaction: closed, passed through the WAL gate, written.
namespace truss::mvcc {

void Backend::Impl::wrote_locked() {
  TRUSS_CHECK(!shut, "write to a closed backend");
  if (++open->operations == 1) arm_timer_locked();
  if (holds > 0 || open->operations < options.batch_limit) return;
  close_wanted = true;
  try_close_locked();
}

void Backend::Impl::arm_timer_locked() {
  open->timer = executor.post_at(
      clock.now() + options.batch_interval,
      [impl = shared_from_this(), batch = open.get()] { impl->timer_fired(batch); });
}

void Backend::Impl::timer_fired(const Batch* batch) {
  std::unique_lock lock(mutex);
  open->timer = open.get() == batch ? TimerId::kNone : open->timer;
  if (open.get() != batch || !open->dirty()) return;
  close_wanted = true;
  try_close_locked();
}

void Backend::Impl::try_close_locked() {
  if (!can_close_locked()) return;
  close_wanted = false;
  if (open->timer != TimerId::kNone) executor.cancel(std::exchange(open->timer, TimerId::kNone));
  open->consistent_index = consistent_index;
  open->term = term;
  batched_index = consistent_index;
  closed.push_back(std::exchange(open, std::make_shared<Batch>()));
  if (!committing) start_commit_locked();
}

void Backend::Impl::start_commit_locked() {
  committing = true;
  const std::uint64_t index = closed.front()->consistent_index;
  // Posted, not called: the gate may answer at once, and the lock is held here.
  post([impl = shared_from_this(), index] { impl->pass_gate(index); });
}

void Backend::Impl::pass_gate(std::uint64_t index) {
  WalGate* gate_now = nullptr;
  {
    std::shared_lock lock(mutex);
    if (index > committed_index) gate_now = gate;
  }
  if (!gate_now) return commit_front();
  gate_now->when_synced(
      index, [impl = shared_from_this()] { impl->post([impl] { impl->commit_front(); }); });
}

void Backend::Impl::commit_front() {
  std::shared_ptr<Batch> batch;
  {
    std::shared_lock lock(mutex);
    batch = closed.front();
  }
  const MonoTime start = clock.now();
  if (Result<> written = write_batch(*batch); !written)
    process.fatal("backend commit: " + written.error().message);
  metrics.commits.add(clock.now() - start);
  std::vector<Task> waiters, room;
  std::function<void(std::uint64_t)> notify;
  {
    std::unique_lock lock(mutex);
    closed.pop_front();
    committed_index = std::max(committed_index, batch->consistent_index);
    waiters.swap(batch->waiters);
    room.swap(room_waiters);
    notify = listener;
    committing = false;
    if (close_wanted) try_close_locked();
    if (!committing && !closed.empty()) start_commit_locked();
  }
  if (notify) notify(batch->consistent_index);
  for (Task& task : waiters) task();
  for (Task& task : room) task();
}

Result<> Backend::Impl::write_batch(const Batch& batch) {
  TRUSS_ASSIGN(auto tx, db->begin_write());
  TRUSS_TRY(write_batch(tx, batch));
  return tx.commit();
}

Result<> Backend::Impl::write_batch(bolt::Tx& tx, const Batch& batch) {
  TRUSS_ASSIGN(auto keys, tx.create_bucket_if_absent(schema::bucket_name(schema::BucketId::kKey)));
  keys.set_fill_percent(0.9);  // revisions only ascend
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    const StoredRecord& record = batch.records[i];
    TRUSS_TRY(keys.put(RevisionKey(record.revision, record.tombstone).view(), record.bytes.view()));
  }
  for (const auto& [where, value] : batch.others) {
    TRUSS_ASSIGN(auto bucket, tx.create_bucket_if_absent(schema::bucket_name(where.first)));
    TRUSS_TRY(value ? bucket.put(where.second, *value) : bucket.remove(where.second));
  }
  if (batch.consistent_index == 0 || options.forget_consistent_index) return {};
  TRUSS_ASSIGN(auto meta, tx.create_bucket_if_absent(schema::bucket_name(schema::BucketId::kMeta)));
  TRUSS_TRY(meta.put(schema::kConsistentIndexKey, schema::encode_u64(batch.consistent_index)));
  if (options.write_term && batch.term > 0)
    TRUSS_TRY(meta.put(schema::kTermKey, schema::encode_u64(batch.term)));
  return {};
}

void Backend::Impl::run_update(const std::function<Result<>(bolt::Tx&)>& change,
                               const std::function<void(Result<>)>& done) {
  const auto attempt = [&]() -> Result<> {
    TRUSS_ASSIGN(auto tx, db->begin_write());
    TRUSS_TRY(change(tx));
    return tx.commit();
  };
  done(attempt());
}

}  // namespace truss::mvcc
