#include <algorithm>

#include "store_impl.h"
#include "truss/schema/meta.h"

/// The key index, rebuilt from the db at start and when another db takes its place.
namespace truss::mvcc {
namespace {

/// Collects the history of every key, unordered, then sorted once.
class IndexBuilder {
 public:
  Result<> add(const ReadView::Record& record);
  std::vector<KeyEntry::Ptr> take_sorted();
  BytesMap<LeaseId> take_leases();
  std::int64_t newest() const { return std::max<std::int64_t>(last_.main, 1); }

 private:
  absl::flat_hash_map<ByteView, KeyEntry::Ptr, BytesHash>
      entries_;  // keyed by the entry's own bytes
  BytesMap<LeaseId> leases_;
  Revision last_{-1, 0};
};

Result<> IndexBuilder::add(const ReadView::Record& record) {
  if (record.revision <= last_)
    return fail(Code::kCorruption, "bucket key: out of order at " + to_hex(record.key));
  last_ = record.revision;
  if (record.revision.sub > UINT32_MAX)
    return fail(Code::kCorruption, "sub revision out of range: " + to_hex(record.key));
  TRUSS_ASSIGN(const auto kv, schema::decode_key_value(record.value));
  if (kv.key.empty()) return {};  // left by a restore with bumped revision; compaction removes it
  auto it = entries_.find(kv.key);
  if (it == entries_.end()) {
    KeyEntry::Ptr entry = KeyEntry::make(kv.key);
    const ByteView own_key = entry->key();
    it = entries_.emplace(own_key, std::move(entry)).first;
  }
  it->second->restore(record.revision, record.tombstone, kv.create_revision, kv.version);
  if (kv.lease != 0)
    leases_.insert_or_assign(std::string(kv.key), LeaseId{kv.lease});
  else if (!leases_.empty())
    leases_.erase(kv.key);
  return {};
}

std::vector<KeyEntry::Ptr> IndexBuilder::take_sorted() {
  std::vector<KeyEntry::Ptr> sorted;
  sorted.reserve(entries_.size());
  for (auto& [key, entry] : entries_) sorted.push_back(std::move(entry));
  entries_.clear();
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a->key() < b->key(); });
  return sorted;
}

BytesMap<LeaseId> IndexBuilder::take_leases() { return std::exchange(leases_, {}); }

Result<schema::Meta> read_meta(Backend& backend) {
  TRUSS_ASSIGN(auto view, backend.committed());
  return schema::read_meta(view.tx());
}

}  // namespace

Result<Store::Impl::Restored> Store::Impl::read_index(ReadView records, const schema::Meta& meta) {
  IndexBuilder builder;
  const auto add = [&](const ReadView::Record& record) -> Result<bool> {
    TRUSS_TRY(builder.add(record));
    return true;
  };
  TRUSS_TRY(records.scan({0, 0}, {INT64_MAX, 0}, add));
  Restored out;
  out.entries = builder.take_sorted();
  out.leases = builder.take_leases();
  out.newest = builder.newest();
  out.finished = meta.finished_compact.value_or(-1);
  out.scheduled = meta.scheduled_compact.value_or(-1);
  return out;
}

/// Needs the lock.
void Store::Impl::take(Restored restored) {
  index.assign(std::move(restored.entries));
  restored_leases = std::move(restored.leases);
  compacted = std::max(restored.finished, restored.scheduled);
  current = std::max(restored.newest, compacted);
  ++generation;
  if (restored.scheduled <= restored.finished) return;
  logger.info("resuming an unfinished compaction", {{"revision", restored.scheduled}});
  enqueue_compaction(restored.scheduled, Task());
}

Result<> Store::Impl::restore() {
  TRUSS_ASSIGN(const auto meta, read_meta(*backend));
  TRUSS_ASSIGN(ReadView records, backend->view());
  TRUSS_ASSIGN(Restored restored, read_index(std::move(records), meta));
  std::unique_lock lock(mutex);
  take(std::move(restored));
  return {};
}

Result<> Store::Impl::switch_to(ReadView records, const schema::Meta& meta,
                                const std::function<void()>& adopt) {
  TRUSS_ASSIGN(Restored restored, read_index(std::move(records), meta));
  hub->start_over([&] {
    std::unique_lock lock(mutex);
    adopt();
    take(std::move(restored));
  });
  return {};
}

void Store::Impl::attach_restored_leases() {
  const auto keys = std::exchange(restored_leases, {});
  if (!links) return;
  for (const auto& [key, lease] : keys) {
    if (links->contains(lease))
      links->attach(lease, key);
    else
      logger.warn("key hangs on an unknown lease",
                  {{"lease", static_cast<std::int64_t>(lease)}, {"key", ByteView(key)}});
  }
}

}  // namespace truss::mvcc
