#include "truss/lease/lessor.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "lease_queue.h"
#include "truss/common/check.h"
#include "truss/schema/records.h"

namespace truss::lease {
namespace {

constexpr MonoTime kNever = MonoTime::max();
constexpr Duration kSecond = std::chrono::seconds(1);
/// etcd spreads expiries after a change of leader to three quarters of what it may revoke.
constexpr std::int64_t kExpiriesPerSecond = 750;
constexpr std::size_t kSpreadFrom = 1000;  // leases

Duration seconds(std::int64_t count) {
  // A TTL may be up to 9e9 s; past 2^63 ns (292 years) it is as good as forever.
  constexpr std::int64_t kMost = INT64_MAX / 1'000'000'000 / 2;
  return std::chrono::seconds(std::min(count, kMost));
}

std::int64_t floor_seconds(Duration d) { return d / kSecond; }
std::int64_t ceil_seconds(Duration d) { return (d + kSecond - Duration(1)) / kSecond; }

struct Lease {
  std::int64_t ttl = 0;            // seconds, as granted
  std::int64_t remaining_ttl = 0;  // seconds, of the last checkpoint, 0 if none
  MonoTime expiry = kNever;
  std::set<std::string, std::less<>> keys;
  std::vector<Task> gone;  // waiting for its revoke

  /// Seconds a fresh start of the clock gives it.
  std::int64_t full() const { return remaining_ttl > 0 ? remaining_ttl : ttl; }
};

}  // namespace

struct Lessor::Impl {
  Impl(mvcc::Backend& b, Clock& c, LessorOptions o) : backend(&b), clock(c), options(o) {}

  Lease* find(LeaseId id) {
    const auto it = leases.find(id);
    return it == leases.end() ? nullptr : &it->second;
  }
  bool expired(const Lease& lease) const { return primary && lease.expiry <= clock.now(); }
  void start(LeaseId id, Lease& lease, Duration extend);
  void schedule_checkpoint(LeaseId id, const Lease& lease);
  void spread(Duration extend);
  void persist(LeaseId id, const Lease& lease);
  std::vector<Task> forget(LeaseId id);
  std::vector<Task> clear();
  Result<> load();

  mvcc::Backend* const backend;
  Clock& clock;
  const LessorOptions options;

  mutable std::mutex mutex;
  std::map<LeaseId, Lease> leases;
  std::map<std::string, LeaseId, std::less<>> owners;  // by key
  LeaseQueue expiries;
  LeaseQueue checkpoints;
  bool primary = false;
  LeaseCounters counters;
  DurationCounts ttls{std::chrono::seconds(1), 24};
};

Lessor::Lessor(mvcc::Backend& backend, Clock& clock, LessorOptions options)
    : impl_(std::make_unique<Impl>(backend, clock, options)) {}
Lessor::~Lessor() = default;

void Lessor::Impl::start(LeaseId id, Lease& lease, Duration extend) {
  lease.expiry = clock.now() + seconds(lease.full()) + extend;
  expiries.set(id, lease.expiry);
}

void Lessor::Impl::schedule_checkpoint(LeaseId id, const Lease& lease) {
  if (!options.checkpoints || seconds(lease.full()) <= options.checkpoint_interval) return;
  checkpoints.set(id, clock.now() + options.checkpoint_interval);
}

void Lessor::Impl::persist(LeaseId id, const Lease& lease) {
  const auto number = static_cast<std::int64_t>(id);
  backend->put(schema::BucketId::kLease, schema::lease_key(number),
               schema::encode_lease({number, lease.ttl, lease.remaining_ttl}));
}

std::vector<Task> Lessor::Impl::clear() {
  std::vector<Task> gone;
  for (auto& [id, lease] : leases) {
    std::move(lease.gone.begin(), lease.gone.end(), std::back_inserter(gone));
  }
  leases.clear();
  owners.clear();
  expiries.clear();
  checkpoints.clear();
  return gone;
}

Result<> Lessor::Impl::load() {
  return backend->for_each(schema::BucketId::kLease, [&](ByteView, ByteView value) -> Result<> {
    TRUSS_ASSIGN(const auto record, schema::decode_lease(value));
    Lease& lease = leases[LeaseId{record.id}];
    lease.ttl = std::max(record.ttl, options.min_ttl);
    lease.remaining_ttl = record.remaining_ttl;
    if (primary) start(LeaseId{record.id}, lease, Duration(0));
    return {};
  });
}

Result<> Lessor::restore() {
  std::vector<Task> gone;
  Result<> loaded;
  {
    std::lock_guard lock(impl_->mutex);
    gone = impl_->clear();
    loaded = impl_->load();
  }
  for (Task& task : gone) task();
  return loaded;
}

Result<std::int64_t> Lessor::grant(LeaseId id, std::int64_t ttl) {
  if (id == kNoLease) return tl::unexpected(mvcc::errors::lease_not_found());
  if (ttl > kMaxTtl) return tl::unexpected(mvcc::errors::lease_ttl_too_large());
  std::lock_guard lock(impl_->mutex);
  const auto [it, fresh] = impl_->leases.try_emplace(id);
  if (!fresh) return tl::unexpected(mvcc::errors::lease_exists());
  Lease& lease = it->second;
  lease.ttl = std::max(ttl, impl_->options.min_ttl);
  if (impl_->primary) {
    impl_->start(id, lease, Duration(0));
    impl_->schedule_checkpoint(id, lease);
  }
  impl_->persist(id, lease);
  ++impl_->counters.granted;
  impl_->ttls.add(std::chrono::seconds(lease.ttl));
  return lease.ttl;
}

std::vector<Task> Lessor::Impl::forget(LeaseId id) {
  const auto it = leases.find(id);
  std::vector<Task> gone = std::move(it->second.gone);
  for (const std::string& key : it->second.keys) owners.erase(key);
  leases.erase(it);
  expiries.remove(id);
  checkpoints.remove(id);
  return gone;
}

Result<> Lessor::revoke(LeaseId id, mvcc::Store& store) {
  std::vector<std::string> keys;
  {
    std::lock_guard lock(impl_->mutex);
    const Lease* lease = impl_->find(id);
    if (!lease) return tl::unexpected(mvcc::errors::lease_not_found());
    keys.assign(lease->keys.begin(), lease->keys.end());
    ++impl_->counters.revoked;
  }
  {
    // One hold: record and keys vanish in the same bolt transaction.
    const mvcc::Backend::Hold hold(*impl_->backend);
    mvcc::WriteTxn txn = store.write();
    for (const std::string& key : keys) txn.delete_range(key, {});
    txn.end();
    impl_->backend->remove(schema::BucketId::kLease,
                           schema::lease_key(static_cast<std::int64_t>(id)));
  }
  std::vector<Task> gone;
  {
    std::lock_guard lock(impl_->mutex);
    gone = impl_->forget(id);
  }
  for (Task& task : gone) task();
  return {};
}

Result<Renewal> Lessor::renew(LeaseId id) {
  std::lock_guard lock(impl_->mutex);
  if (!impl_->primary) return tl::unexpected(mvcc::errors::not_primary_lessor());
  Lease* lease = impl_->find(id);
  if (!lease) return tl::unexpected(mvcc::errors::lease_not_found());
  if (impl_->expired(*lease))
    return fail(Code::kAborted, "lease has expired and waits for its revoke");
  Renewal renewal{lease->ttl, lease->remaining_ttl > 0};
  lease->remaining_ttl = 0;
  impl_->start(id, *lease, Duration(0));
  ++impl_->counters.renewed;
  return renewal;
}

void Lessor::when_gone(LeaseId id, Task task) {
  {
    std::lock_guard lock(impl_->mutex);
    Lease* lease = impl_->find(id);
    if (lease && impl_->expired(*lease)) {
      lease->gone.push_back(std::move(task));
      return;
    }
  }
  task();
}

Result<> Lessor::checkpoint(const Checkpoint& checkpoint) {
  std::lock_guard lock(impl_->mutex);
  Lease* lease = impl_->find(checkpoint.id);
  if (!lease) return tl::unexpected(mvcc::errors::lease_not_found());
  lease->remaining_ttl = checkpoint.remaining_ttl;
  if (impl_->options.persist_checkpoints) impl_->persist(checkpoint.id, *lease);
  if (impl_->primary) impl_->schedule_checkpoint(checkpoint.id, *lease);
  return {};
}

void Lessor::promote(Duration extend) {
  std::lock_guard lock(impl_->mutex);
  impl_->primary = true;
  for (auto& [id, lease] : impl_->leases) {
    impl_->start(id, lease, extend);
    impl_->schedule_checkpoint(id, lease);
  }
  if (impl_->leases.size() >= kSpreadFrom) impl_->spread(extend);
}

/// Delays expiries so that no second holds more than kExpiriesPerSecond of them.
void Lessor::Impl::spread(Duration extend) {
  std::vector<std::pair<MonoTime, LeaseId>> order;
  for (const auto& [id, lease] : leases) order.emplace_back(lease.expiry, id);
  std::sort(order.begin(), order.end());
  MonoTime base = order.front().first;
  MonoTime next_window = base + kSecond;
  std::int64_t expires = 0;
  for (const auto& [expiry, id] : order) {
    if (expiry > next_window) {
      base = expiry;
      next_window = base + kSecond;
      expires = 1;
      continue;
    }
    if (++expires <= kExpiriesPerSecond) continue;
    const Duration delay = kSecond * expires / kExpiriesPerSecond - (expiry - base);
    next_window = base + delay;
    start(id, leases.at(id), delay + extend);
  }
}

void Lessor::demote() {
  std::vector<Task> gone;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->primary = false;
    impl_->expiries.clear();
    impl_->checkpoints.clear();
    for (auto& [id, lease] : impl_->leases) {
      lease.expiry = kNever;
      std::move(lease.gone.begin(), lease.gone.end(), std::back_inserter(gone));
      lease.gone.clear();
    }
  }
  for (Task& task : gone) task();
}

bool Lessor::is_primary() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->primary;
}

std::vector<LeaseId> Lessor::take_expired(std::size_t limit) {
  std::vector<LeaseId> out;
  std::lock_guard lock(impl_->mutex);
  const MonoTime now = impl_->clock.now();
  while (out.size() < limit) {
    const auto id = impl_->expiries.due(now);
    if (!id) break;
    impl_->expiries.set(*id, now + impl_->options.expired_retry);
    if (impl_->expired(impl_->leases.at(*id))) out.push_back(*id);
  }
  return out;
}

std::vector<Checkpoint> Lessor::due_checkpoints(std::size_t limit) {
  std::vector<Checkpoint> out;
  std::lock_guard lock(impl_->mutex);
  const MonoTime now = impl_->clock.now();
  while (out.size() < limit) {
    const auto id = impl_->checkpoints.due(now);
    if (!id) break;
    impl_->checkpoints.remove(*id);
    const Lease& lease = impl_->leases.at(*id);
    if (lease.expiry <= now) continue;
    const std::int64_t remaining = ceil_seconds(lease.expiry - now);
    if (remaining < lease.ttl) out.push_back({*id, remaining});
  }
  return out;
}

Result<LeaseInfo> Lessor::time_to_live(LeaseId id, bool with_keys) const {
  std::lock_guard lock(impl_->mutex);
  const Lease* lease = impl_->find(id);
  if (!lease) return tl::unexpected(mvcc::errors::lease_not_found());
  LeaseInfo info;
  info.id = id;
  info.granted_ttl = lease->ttl;
  info.expired = impl_->expired(*lease);
  info.remaining_ttl = lease->expiry == kNever ? floor_seconds(Duration::max())
                                               : floor_seconds(lease->expiry - impl_->clock.now());
  if (with_keys) info.keys.assign(lease->keys.begin(), lease->keys.end());
  return info;
}

LeaseCounters Lessor::counters() const {
  std::lock_guard lock(impl_->mutex);
  LeaseCounters out = impl_->counters;
  out.ttls = impl_->ttls.sample();
  return out;
}

std::vector<LeaseId> Lessor::leases() const {
  std::vector<std::pair<MonoTime, LeaseId>> order;
  {
    std::lock_guard lock(impl_->mutex);
    for (const auto& [id, lease] : impl_->leases) order.emplace_back(lease.expiry, id);
  }
  std::sort(order.begin(), order.end());
  std::vector<LeaseId> out;
  for (const auto& [expiry, id] : order) out.push_back(id);
  return out;
}

bool Lessor::contains(LeaseId lease) const {
  std::lock_guard lock(impl_->mutex);
  return impl_->find(lease) != nullptr;
}

LeaseId Lessor::lease_of(ByteView key) const {
  std::lock_guard lock(impl_->mutex);
  const auto it = impl_->owners.find(key);
  return it == impl_->owners.end() ? kNoLease : it->second;
}

void Lessor::attach(LeaseId lease, ByteView key) {
  std::lock_guard lock(impl_->mutex);
  Lease* found = impl_->find(lease);
  TRUSS_CHECK(found != nullptr, "attach to an unknown lease");
  found->keys.emplace(key);
  impl_->owners.insert_or_assign(std::string(key), lease);
}

void Lessor::detach(LeaseId lease, ByteView key) {
  std::lock_guard lock(impl_->mutex);
  if (Lease* found = impl_->find(lease)) {
    if (const auto it = found->keys.find(key); it != found->keys.end()) found->keys.erase(it);
  }
  const auto it = impl_->owners.find(key);
  if (it != impl_->owners.end() && it->second == lease) impl_->owners.erase(it);
}

}  // namespace truss::lease
