#include "truss/mvcc/backend.h"

#include <future>

#include "backend_impl.h"
#include "truss/common/await.h"

namespace truss::mvcc {

Backend::Backend(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Backend::~Backend() = default;

Result<std::unique_ptr<Backend>> Backend::open(FileSystem& fs, Executor& executor, Clock& clock,
                                               Process& process, Logger& logger,
                                               BackendOptions options) {
  auto impl = std::make_shared<Impl>(fs, executor, clock, process, logger, std::move(options));
  TRUSS_TRY(impl->remove_leftovers());
  TRUSS_ASSIGN(impl->db, impl->open_db(impl->options.path, true));
  TRUSS_TRY(impl->load());
  return std::unique_ptr<Backend>(new Backend(std::move(impl)));
}

Result<> Backend::Impl::remove_leftovers() {
  const std::string dir = parent_path(options.path);
  TRUSS_ASSIGN(const auto names, fs.list(dir));
  for (const std::string& name : names) {
    if (!name.starts_with("db.tmp.")) continue;
    logger.warn("removing a file left by an interrupted defragmentation", {{"file", name}});
    TRUSS_TRY(fs.remove(join_path(dir, name)));
  }
  return {};
}

Result<std::shared_ptr<bolt::DB>> Backend::Impl::open_db(const std::string& path, bool syncing,
                                                         const bolt::KnownLeaves* leaves) {
  bolt::Options bolt_options = options.bolt;
  bolt_options.clock = &clock;
  bolt_options.times = &metrics.commit_phases;
  if (!syncing) bolt_options.no_sync = true;
  bolt_options.known_leaves = leaves;
  if (leaves != nullptr) bolt_options.map_populate = false;  // else all of it is read at once
  TRUSS_ASSIGN(auto opened, bolt::DB::open(fs, path, bolt_options,
                                           [this](std::string_view why) { process.fatal(why); }));
  return std::shared_ptr<bolt::DB>(std::move(opened));
}

namespace {

Result<bool> has_all_buckets(bolt::DB& db) {
  TRUSS_ASSIGN(auto tx, db.begin_read());
  for (const ByteView name : schema::kBucketNames) {
    TRUSS_ASSIGN(const auto bucket, tx.bucket(name));
    if (!bucket) return false;
  }
  return true;
}

}  // namespace

Result<schema::Meta> Backend::Impl::make_complete(bolt::DB& db) {
  TRUSS_ASSIGN(const bool complete, has_all_buckets(db));
  if (!complete) {
    TRUSS_ASSIGN(auto tx, db.begin_write());
    TRUSS_TRY(schema::create_buckets(tx));
    TRUSS_TRY(tx.commit());
  }
  TRUSS_ASSIGN(auto tx, db.begin_read());
  return schema::read_meta(tx);
}

Result<> Backend::Impl::load() {
  TRUSS_ASSIGN(const auto meta, make_complete(*db));
  consistent_index = batched_index = committed_index = meta.consistent_index;
  term = meta.term;
  return {};
}

void Backend::set_wal_gate(WalGate* gate) {
  std::unique_lock lock(impl_->mutex);
  impl_->gate = gate;
}

void Backend::set_commit_listener(std::function<void(std::uint64_t)> listener) {
  std::unique_lock lock(impl_->mutex);
  impl_->listener = std::move(listener);
}

Backend::Hold::Hold(Backend& backend) : backend_(backend) {
  std::unique_lock lock(backend_.impl_->mutex);
  ++backend_.impl_->holds;
}

Backend::Hold::~Hold() {
  Impl& impl = *backend_.impl_;
  std::unique_lock lock(impl.mutex);
  if (--impl.holds > 0) return;
  if (impl.open->operations >= impl.options.batch_limit) impl.close_wanted = true;
  if (impl.close_wanted) impl.try_close_locked();
}

void Backend::set_consistent_index(std::uint64_t index, std::uint64_t term) {
  std::unique_lock lock(impl_->mutex);
  TRUSS_CHECK(index >= impl_->consistent_index);
  impl_->consistent_index = index;
  impl_->term = term;
}

void Backend::put_revision(Revision revision, bool tombstone, SharedBytes record) {
  std::unique_lock lock(impl_->mutex);
  impl_->open->records.append({revision, tombstone, std::move(record)});
  impl_->wrote_locked();
}

void Backend::put(schema::BucketId bucket, ByteView key, ByteView value) {
  TRUSS_CHECK(bucket != schema::BucketId::kKey && !key.empty());
  std::unique_lock lock(impl_->mutex);
  impl_->open->others.insert_or_assign({bucket, std::string(key)}, std::string(value));
  impl_->wrote_locked();
}

void Backend::remove(schema::BucketId bucket, ByteView key) {
  TRUSS_CHECK(bucket != schema::BucketId::kKey);
  std::unique_lock lock(impl_->mutex);
  impl_->open->others.insert_or_assign({bucket, std::string(key)}, std::nullopt);
  impl_->wrote_locked();
}

bool Backend::has_room() const {
  std::shared_lock lock(impl_->mutex);
  return impl_->has_room_locked();
}

void Backend::when_room(Task task) {
  {
    std::unique_lock lock(impl_->mutex);
    if (!impl_->has_room_locked()) {
      impl_->room_waiters.push_back(std::move(task));
      return;
    }
  }
  task();
}

void Backend::wait_for_room() {
  if (has_room()) return;
  std::promise<void> room;
  when_room([&room] { room.set_value(); });
  await(impl_->executor, room.get_future());
}

void Backend::commit(Task done) {
  std::unique_lock lock(impl_->mutex);
  Impl& impl = *impl_;
  const bool index_moved = impl.consistent_index > impl.batched_index;
  if (impl.open->dirty() || index_moved) {
    impl.open->waiters.push_back(std::move(done));
    impl.close_wanted = true;
    impl.try_close_locked();
  } else if (!impl.closed.empty()) {
    impl.closed.back()->waiters.push_back(std::move(done));
  } else {
    impl.post([keep = impl_, done = std::move(done)]() mutable { done(); });
  }
}

bool Backend::commit_exactly(Task done) {
  {
    std::unique_lock lock(impl_->mutex);
    const bool index_moved = impl_->consistent_index > impl_->batched_index;
    const bool to_close = impl_->open->dirty() || index_moved;
    if (to_close && !impl_->can_close_locked()) return false;
  }
  // Batches leave the queue meanwhile, but none comes: the apply thread is here.
  commit(std::move(done));
  return true;
}

void Backend::force_commit() {
  TRUSS_CHECK(!impl_->executor.is_current());
  std::promise<void> committed;
  commit([&committed] { committed.set_value(); });
  await(impl_->executor, committed.get_future());
}

void Backend::update(std::function<Result<>(bolt::Tx&)> change,
                     std::function<void(Result<>)> done) {
  impl_->post([impl = impl_, change = std::move(change), done = std::move(done)] {
    impl->run_update(change, done);
  });
}

void Backend::defragment(std::function<void(Result<>)> done) {
  impl_->post([impl = impl_, done = std::move(done)] { done(impl->run_defragment()); });
}

Result<> Backend::defragment() {
  TRUSS_CHECK(!impl_->executor.is_current());
  force_commit();
  std::promise<Result<>> outcome;
  defragment([&outcome](Result<> result) { outcome.set_value(std::move(result)); });
  return await(impl_->executor, outcome.get_future());
}

std::uint64_t Backend::consistent_index() const {
  std::shared_lock lock(impl_->mutex);
  return impl_->consistent_index;
}

std::uint64_t Backend::term() const {
  std::shared_lock lock(impl_->mutex);
  return impl_->term;
}

const BackendMetrics& Backend::metrics() const { return impl_->metrics; }

std::uint64_t Backend::committed_consistent_index() const {
  std::shared_lock lock(impl_->mutex);
  return impl_->committed_index;
}

bolt::Stats Backend::stats() const { return impl_->current_db()->stats(); }
std::uint64_t Backend::size_bytes() const { return stats().size_bytes; }
std::uint64_t Backend::in_use_bytes() const { return stats().in_use_bytes; }
const std::string& Backend::path() const { return impl_->options.path; }

void Backend::close() {
  {
    std::unique_lock lock(impl_->mutex);
    if (impl_->shut) return;
    impl_->shut = true;
  }
  force_commit();
}

}  // namespace truss::mvcc
