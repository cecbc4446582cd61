#include "backend_impl.h"
#include "truss/common/crc32c.h"

namespace truss::mvcc {

Result<ReadView> Backend::view() { return view(Revision{}); }

Result<ReadView> Backend::view(Revision oldest) {
  auto view = std::make_unique<ReadView::Impl>();
  // One lock for both: a batch leaves memory only after it is in bolt, so nothing falls between.
  std::shared_lock lock(impl_->mutex);
  for (const auto& batch : impl_->closed)
    if (batch->records.size() > 0) view->slices.push_back({batch, batch->records.size()});
  if (const std::size_t size = impl_->open->records.size(); size > 0)
    view->slices.push_back({impl_->open, size});
  if (!view->slices.empty() && view->slices.front().batch->records[0].revision <= oldest)
    return ReadView(std::move(view));
  view->db = impl_->db;
  TRUSS_ASSIGN(view->tx, view->db->begin_read());
  return ReadView(std::move(view));
}

namespace {

/// What the batches say of a key: null if nothing.
const std::optional<std::string>* newest(const Backend::Impl& impl, const Batch::OtherKey& key) {
  if (const auto it = impl.open->others.find(key); it != impl.open->others.end())
    return &it->second;
  for (auto batch = impl.closed.rbegin(); batch != impl.closed.rend(); ++batch)
    if (const auto it = (*batch)->others.find(key); it != (*batch)->others.end())
      return &it->second;
  return nullptr;
}

using Overlay = std::map<std::string, std::optional<std::string>>;

void add_overlay(Overlay& out, const Batch& batch, schema::BucketId bucket) {
  auto it = batch.others.lower_bound({bucket, std::string()});
  for (; it != batch.others.end() && it->first.first == bucket; ++it)
    out.insert_or_assign(it->first.second, it->second);
}

}  // namespace

Result<std::optional<std::string>> Backend::get(schema::BucketId bucket, ByteView key) {
  TRUSS_CHECK(bucket != schema::BucketId::kKey);
  std::shared_lock lock(impl_->mutex);
  if (const auto* known = newest(*impl_, {bucket, std::string(key)})) return *known;
  const auto db = impl_->db;
  TRUSS_ASSIGN(auto tx, db->begin_read());
  lock.unlock();
  TRUSS_ASSIGN(const auto found, tx.bucket(schema::bucket_name(bucket)));
  if (!found) return std::nullopt;
  TRUSS_ASSIGN(const auto value, found->get(key));
  if (!value) return std::nullopt;
  return std::string(*value);
}

Result<> Backend::for_each(schema::BucketId bucket,
                           const std::function<Result<>(ByteView, ByteView)>& visit) {
  TRUSS_CHECK(bucket != schema::BucketId::kKey);
  Overlay overlay;
  std::shared_lock lock(impl_->mutex);
  for (const auto& batch : impl_->closed) add_overlay(overlay, *batch, bucket);
  add_overlay(overlay, *impl_->open, bucket);
  const auto db = impl_->db;
  TRUSS_ASSIGN(auto tx, db->begin_read());
  lock.unlock();
  TRUSS_ASSIGN(const auto found, tx.bucket(schema::bucket_name(bucket)));
  if (found) {
    auto cursor = found->cursor();
    TRUSS_ASSIGN(auto pair, cursor.first());
    while (pair) {
      overlay.try_emplace(std::string(pair->key), std::string(pair->value));
      TRUSS_ASSIGN(pair, cursor.next());
    }
  }
  for (const auto& [key, value] : overlay)
    if (value) TRUSS_TRY(visit(key, *value));
  return {};
}

namespace {

/// Measures how long a snapshot is held, and keeps the place where that is counted.
struct HeldSnapshot {
  explicit HeldSnapshot(std::shared_ptr<Backend::Impl> owner)
      : impl(std::move(owner)), time(impl->clock, impl->metrics.snapshots) {}
  std::shared_ptr<Backend::Impl> impl;
  ScopedTime time;
};

}  // namespace

Result<Backend::Snapshot> Backend::committed() {
  const auto db = impl_->current_db();
  TRUSS_ASSIGN(auto tx, db->begin_read());
  return Snapshot(db, std::move(tx));
}

Result<Backend::Snapshot> Backend::snapshot() {
  const auto db = impl_->current_db();
  TRUSS_ASSIGN(auto tx, db->begin_read());
  return Snapshot(db, std::move(tx), std::make_shared<HeldSnapshot>(impl_));
}

namespace {

bool left_out(HashLevel level, ByteView bucket, ByteView key) {
  if (bucket != schema::bucket_name(schema::BucketId::kMeta)) return false;
  if (key == schema::kConsistentIndexKey) return true;
  if (key == schema::kTermKey) return level != HashLevel::k34;
  return key == schema::kStorageVersionKey && level == HashLevel::k36;
}

}  // namespace

Result<std::uint32_t> Backend::hash(HashLevel level) {
  const ScopedTime timed(impl_->clock, impl_->metrics.hashes);
  TRUSS_ASSIGN(auto view, committed());
  std::uint32_t crc = 0;
  auto buckets = view.tx().cursor();
  TRUSS_ASSIGN(auto top, buckets.first());
  while (top) {
    crc = crc32c(top->key, crc);
    TRUSS_ASSIGN(const auto bucket, view.tx().bucket(top->key));
    if (!bucket) return fail(Code::kCorruption, "top-level key is no bucket: " + quoted(top->key));
    auto cursor = bucket->cursor();
    TRUSS_ASSIGN(auto pair, cursor.first());
    while (pair) {
      if (!left_out(level, top->key, pair->key)) crc = crc32c(pair->value, crc32c(pair->key, crc));
      TRUSS_ASSIGN(pair, cursor.next());
    }
    TRUSS_ASSIGN(top, buckets.next());
  }
  return crc;
}

}  // namespace truss::mvcc
