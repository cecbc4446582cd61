#include <algorithm>

#include "store_impl.h"
#include "truss/schema/meta.h"

/// The key index, rebuilt from the db at start.
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
  TRUSS_ASSIGN(auto snapshot, backend.snapshot());
  return schema::read_meta(snapshot.tx());
}

}  // namespace

Result<> Store::Impl::restore(Backend& from) {
  forget_compactions();
  TRUSS_ASSIGN(const auto meta, read_meta(from));
  IndexBuilder builder;
  TRUSS_ASSIGN(ReadView records, from.view());
  const auto add = [&](const ReadView::Record& record) -> Result<bool> {
    TRUSS_TRY(builder.add(record));
    return true;
  };
  TRUSS_TRY(records.scan({0, 0}, {INT64_MAX, 0}, add));
  const std::int64_t finished = meta.finished_compact.value_or(-1);
  const std::int64_t scheduled = meta.scheduled_compact.value_or(-1);
  {
    std::unique_lock lock(mutex);
    backend = &from;
    index.assign(builder.take_sorted());
    restored_leases = builder.take_leases();
    compacted = std::max(finished, scheduled);
    current = std::max(builder.newest(), compacted);
  }
  if (scheduled > finished) {
    logger.info("resuming an unfinished compaction", {{"revision", scheduled}});
    enqueue_compaction(scheduled, Task());
  }
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
