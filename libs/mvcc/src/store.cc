#include "truss/mvcc/store.h"

#include "record_scout_impl.h"
#include "store_impl.h"

namespace truss::mvcc {

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  if (impl_->hub) impl_->hub->shut_down();
}

Result<std::unique_ptr<Store>> Store::open(Backend& backend, Executor& background, Clock& clock,
                                           Logger& logger, StoreOptions options) {
  auto impl = std::make_shared<Impl>(backend, background, clock, logger, options);
  impl->hub = std::make_shared<WatchHub>(*impl, background, clock, options.watch_victim_retry);
  TRUSS_TRY(impl->restore());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::install(std::string received, Task done, std::shared_ptr<RecordScout> scout) {
  impl_->forget_compactions();
  std::shared_ptr<const bolt::KnownLeaves> leaves;
  if (scout) leaves = {scout, &scout->impl()};
  impl_->backend->replace(
      std::move(received), std::move(leaves),
      [impl = impl_, scout = std::move(scout)](ReadView records, const schema::Meta& meta,
                                               const std::function<void()>& adopt) -> Result<> {
        return impl->switch_to(std::move(records), meta, scout.get(), adopt);
      },
      std::move(done));
}

void Store::set_lease_links(LeaseLinks* links) {
  impl_->links = links;
  impl_->attach_restored_leases();
}
LeaseLinks* Store::lease_links() const { return impl_->links; }

std::int64_t Store::current_revision() const { return impl_->current_revision(); }
std::int64_t Store::compact_revision() const { return impl_->compact_revision(); }

std::uint64_t Store::index_size() const {
  std::shared_lock lock(impl_->mutex);
  return impl_->index.size();
}
std::uint64_t Store::live_keys() const {
  std::shared_lock lock(impl_->mutex);
  return impl_->index.live();
}

Result<> Store::compact(std::int64_t revision, Task done) {
  return impl_->compact(revision, std::move(done));
}

std::unique_ptr<WatchStream> Store::watch_stream(std::shared_ptr<WatchSink> sink) {
  return impl_->hub->open_stream(std::move(sink));
}
WatchStats Store::watch_stats() const { return impl_->hub->stats(); }

Result<ReadView> Store::Impl::view(Revision oldest) {
  std::shared_lock lock(mutex);
  return backend->view(oldest);
}

std::optional<KeyValue> Store::Impl::value_at(ByteView key, std::int64_t revision) {
  auto answer = range({.key = key, .revision = revision}, current_revision());
  if (revision <= 0 || !answer || answer->kvs.empty()) return std::nullopt;
  return std::move(answer->kvs.front());
}

void Store::Impl::add_reader_locked(std::int64_t revision) {
  std::lock_guard lock(readers_mutex);
  readers.insert(revision);
}

void Store::Impl::drop_reader(std::int64_t revision) {
  std::lock_guard lock(readers_mutex);
  readers.erase(readers.find(revision));
}

bool Store::Impl::reader_before(std::int64_t revision) {
  std::lock_guard lock(readers_mutex);
  return !readers.empty() && *readers.begin() < revision;
}

struct ReadTxn::Impl {
  explicit Impl(std::shared_ptr<Store::Impl> s) : store(std::move(s)) {
    std::shared_lock lock(store->mutex);
    revision = store->current;
    store->add_reader_locked(revision);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { store->drop_reader(revision); }

  std::shared_ptr<Store::Impl> store;
  std::int64_t revision = 0;
};

ReadTxn::ReadTxn(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ReadTxn::ReadTxn(ReadTxn&&) noexcept = default;
ReadTxn& ReadTxn::operator=(ReadTxn&&) noexcept = default;
ReadTxn::~ReadTxn() = default;
std::int64_t ReadTxn::revision() const { return impl_->revision; }
std::int64_t ReadTxn::compact_revision() const { return impl_->store->compact_revision(); }
StoreCounters Store::counters() const {
  const Impl::Counters& c = impl_->counters;
  return {c.ranges, c.puts, c.deletes, c.txns, c.put_bytes};
}

const StoreMetrics& Store::metrics() const { return impl_->metrics; }

Result<RangeResult> ReadTxn::range(const RangeRequest& request) {
  return impl_->store->range(request, impl_->revision);
}

ReadTxn Store::read() { return ReadTxn(std::make_unique<ReadTxn::Impl>(impl_)); }

Result<RangeResult> Store::range(const RangeRequest& request) { return impl_->range(request, 0); }

}  // namespace truss::mvcc
