#include <algorithm>

#include "store_impl.h"

/// Range: look-up in the index, values from a view, then filters, sort and cut in etcd's order.
namespace truss::mvcc {

Store::Impl::Found Store::Impl::find_locked(const KeyRange& range, std::int64_t at,
                                            std::size_t limit) const {
  Found found;
  const auto note = [&](const KeyEntry::Item& item) {
    if (limit == 0 || found.revisions.size() < limit) found.revisions.push_back(item.revision());
    ++found.count;
  };
  if (range.single()) {
    const KeyEntry* entry = index.find(range.key);
    const KeyEntry::Item* item = entry ? entry->live_at(at) : nullptr;
    if (item) note(*item);
  } else {
    index.visit(range, at, [&](const KeyEntry&, const KeyEntry::Item& item) { note(item); });
  }
  return found;
}

Result<std::int64_t> Store::Impl::read_revision_locked(std::int64_t wanted,
                                                       std::int64_t now) const {
  if (wanted > now) return tl::unexpected(errors::future_revision());
  const std::int64_t at = wanted <= 0 ? now : wanted;
  // A reader pinned at `now` may read there whatever was compacted since.
  if (at < compacted && wanted > 0) return tl::unexpected(errors::compacted());
  return at;
}

namespace {

bool has_filter(const RangeRequest& r) {
  return r.min_mod_revision != 0 || r.max_mod_revision != 0 || r.min_create_revision != 0 ||
         r.max_create_revision != 0;
}

/// How many of the first keys to fetch; 0 = all. One more than the limit tells `more`.
std::size_t fetch_limit(const RangeRequest& r) {
  if (r.limit <= 0 || r.sort_order != SortOrder::kNone || has_filter(r)) return 0;
  return static_cast<std::size_t>(r.limit) + 1;
}

bool passes(const RangeRequest& r, const schema::KeyValueView& kv) {
  return (r.min_mod_revision == 0 || kv.mod_revision >= r.min_mod_revision) &&
         (r.max_mod_revision == 0 || kv.mod_revision <= r.max_mod_revision) &&
         (r.min_create_revision == 0 || kv.create_revision >= r.min_create_revision) &&
         (r.max_create_revision == 0 || kv.create_revision <= r.max_create_revision);
}

template <class Field>
void sort_by(std::vector<KeyValue>& kvs, bool descend, Field field) {
  std::stable_sort(kvs.begin(), kvs.end(), [&](const KeyValue& a, const KeyValue& b) {
    return descend ? field(b.kv) < field(a.kv) : field(a.kv) < field(b.kv);
  });
}

void sort(const RangeRequest& r, std::vector<KeyValue>& kvs) {
  SortOrder order = r.sort_order;
  // etcd: another target without an order means ascending.
  if (order == SortOrder::kNone && r.sort_target != SortTarget::kKey) order = SortOrder::kAscend;
  if (order != SortOrder::kAscend && order != SortOrder::kDescend) return;
  const bool descend = order == SortOrder::kDescend;
  using View = schema::KeyValueView;
  switch (r.sort_target) {
    case SortTarget::kKey:
      if (descend) std::reverse(kvs.begin(), kvs.end());  // found in key order
      return;
    case SortTarget::kVersion:
      return sort_by(kvs, descend, [](const View& kv) { return kv.version; });
    case SortTarget::kCreate:
      return sort_by(kvs, descend, [](const View& kv) { return kv.create_revision; });
    case SortTarget::kMod:
      return sort_by(kvs, descend, [](const View& kv) { return kv.mod_revision; });
    case SortTarget::kValue:
      return sort_by(kvs, descend, [](const View& kv) { return kv.value; });
  }
}

void strip_values(std::vector<KeyValue>& kvs) {
  for (KeyValue& kv : kvs) {
    if (kv->value.empty()) continue;
    schema::KeyValueView bare = kv.kv;
    bare.value = {};
    kv = KeyValue::encode(bare);
  }
}

void finish(const RangeRequest& request, RangeResult& result) {
  if (has_filter(request))
    std::erase_if(result.kvs, [&](const KeyValue& kv) { return !passes(request, kv.kv); });
  sort(request, result.kvs);
  if (request.limit > 0 && result.kvs.size() > static_cast<std::size_t>(request.limit)) {
    result.kvs.resize(static_cast<std::size_t>(request.limit));
    result.more = true;
  }
  if (request.keys_only) strip_values(result.kvs);
}

}  // namespace

Result<RangeResult> Store::Impl::range(const RangeRequest& request, std::int64_t now) {
  counters.ranges.fetch_add(1, std::memory_order_relaxed);
  RangeResult result;
  std::shared_lock lock(mutex);
  result.revision = now > 0 ? now : current;
  TRUSS_ASSIGN(const std::int64_t at, read_revision_locked(request.revision, result.revision));
  const KeyRange range{request.key, request.range_end};
  const std::size_t limit = request.count_only ? 1 : fetch_limit(request);
  const Found found = find_locked(range, at, limit);
  result.count = found.count;
  if (request.count_only || found.revisions.empty()) return result;
  const Revision oldest = *std::min_element(found.revisions.begin(), found.revisions.end());
  TRUSS_ASSIGN(ReadView view, backend->view(oldest));
  lock.unlock();
  TRUSS_TRY(view.fetch(found.revisions, result.kvs));
  finish(request, result);
  return result;
}

}  // namespace truss::mvcc
