#include "store_impl.h"
#include "truss/common/check.h"

namespace truss::mvcc {

struct WriteTxn::Impl {
  explicit Impl(std::shared_ptr<Store::Impl> s)
      : store(std::move(s)), hold(*store->backend), begin(store->current_revision()) {}

  Revision next_revision() { return {begin + 1, next_sub++}; }
  void write(ByteView key, ByteView value, LeaseId lease);
  void erase(ByteView key);
  void move_lease(ByteView key, LeaseId lease);
  std::vector<std::string> live_keys(const KeyRange& range) const;
  void publish();
  std::vector<Event> events();

  std::shared_ptr<Store::Impl> store;
  Backend::Hold hold;
  const std::int64_t begin;
  std::int64_t next_sub = 0;
  int operations = 0;
  bool ended = false;
};

WriteTxn::WriteTxn(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WriteTxn::WriteTxn(WriteTxn&&) noexcept = default;
WriteTxn::~WriteTxn() {
  if (impl_) end();
}

WriteTxn Store::write() { return WriteTxn(std::make_unique<WriteTxn::Impl>(impl_)); }

std::int64_t WriteTxn::begin_revision() const { return impl_->begin; }
std::int64_t WriteTxn::compact_revision() const { return impl_->store->compact_revision(); }
std::int64_t WriteTxn::revision() const { return impl_->begin + (impl_->next_sub > 0 ? 1 : 0); }

Result<RangeResult> WriteTxn::range(const RangeRequest& request) {
  ++impl_->operations;
  return impl_->store->range(request, revision());
}

bool WriteTxn::contains(ByteView key) const {
  std::shared_lock lock(impl_->store->mutex);
  const KeyEntry* entry = impl_->store->index.find(key);
  return entry && entry->live();
}

void WriteTxn::put(ByteView key, ByteView value, LeaseId lease) {
  TRUSS_CHECK(!impl_->ended);
  ++impl_->operations;
  auto& counters = impl_->store->counters;
  counters.puts.fetch_add(1, std::memory_order_relaxed);
  counters.put_bytes.fetch_add(key.size() + value.size(), std::memory_order_relaxed);
  impl_->write(key, value, lease);
  impl_->move_lease(key, lease);
}

void WriteTxn::Impl::write(ByteView key, ByteView value, LeaseId lease) {
  const Revision revision = next_revision();
  std::unique_lock lock(store->mutex);
  const KeyIndex::Put put = store->index.put(key, revision);
  lock.unlock();
  store->backend->put_revision(
      revision, false,
      schema::encode_key_value(
          {key, put.created, revision.main, put.version, value, static_cast<std::int64_t>(lease)}));
}

void WriteTxn::Impl::move_lease(ByteView key, LeaseId lease) {
  if (!store->links) return;
  const LeaseId old = store->links->lease_of(key);
  if (old == lease) return;
  if (old != kNoLease) store->links->detach(old, key);
  if (lease != kNoLease) store->links->attach(lease, key);
}

std::int64_t WriteTxn::delete_range(ByteView key, ByteView range_end) {
  TRUSS_CHECK(!impl_->ended);
  ++impl_->operations;
  impl_->store->counters.deletes.fetch_add(1, std::memory_order_relaxed);
  const auto keys = impl_->live_keys({key, range_end});
  for (const std::string& k : keys) impl_->erase(k);
  return static_cast<std::int64_t>(keys.size());
}

std::vector<std::string> WriteTxn::Impl::live_keys(const KeyRange& range) const {
  std::vector<std::string> keys;
  std::shared_lock lock(store->mutex);
  store->index.visit(range, begin + 1, [&](const KeyEntry& entry, const KeyEntry::Item&) {
    keys.emplace_back(entry.key());
  });
  return keys;
}

void WriteTxn::Impl::erase(ByteView key) {
  const Revision revision = next_revision();
  std::unique_lock lock(store->mutex);
  store->index.tombstone(key, revision);
  lock.unlock();
  store->backend->put_revision(revision, true, schema::encode_key_value({.key = key}));
  move_lease(key, kNoLease);
}

void WriteTxn::end() {
  if (std::exchange(impl_->ended, true)) return;
  if (impl_->operations > 1) impl_->store->counters.txns.fetch_add(1, std::memory_order_relaxed);
  if (impl_->next_sub == 0) return;
  impl_->store->hub->publish([this] { impl_->publish(); }, [this] { return impl_->events(); },
                             impl_->begin + 1);
}

void WriteTxn::Impl::publish() {
  std::unique_lock lock(store->mutex);
  store->current = begin + 1;
}

std::vector<Event> WriteTxn::Impl::events() {
  std::vector<Event> out;
  // The records of this transaction are still in the open batch, so bolt isn't touched.
  auto view = store->backend->view(Revision{begin + 1, 0});
  TRUSS_CHECK(view.has_value());
  const auto scanned = view->scan({begin + 1, 0}, {begin + 2, 0},
                                  [&](const ReadView::Record& record) -> Result<bool> {
                                    TRUSS_ASSIGN(Event event, make_event(record));
                                    out.push_back(std::move(event));
                                    return true;
                                  });
  TRUSS_CHECK(scanned.has_value());
  return out;
}

}  // namespace truss::mvcc
