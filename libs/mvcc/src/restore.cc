#include <algorithm>

#include "record_scout_impl.h"
#include "store_impl.h"
#include "truss/schema/meta.h"
#include "truss/schema/revision.h"

/// The key index, rebuilt from the db at start and when another db takes its place.
namespace truss::mvcc {
namespace {

/// Collects the history of every key, unordered, then sorted once.
class IndexBuilder final : public bolt::LeafReader {
 public:
  /// `scout` may be null.
  explicit IndexBuilder(RecordScout* scout) : scout_(scout ? &scout->impl() : nullptr) {}
  Result<bool> known(std::uint64_t page) override {
    if (scout_ == nullptr) return false;
    return scout_->visit(
        page, [this](KeyEntry* entry, const RecordFacts& facts) { return add(entry, facts); });
  }
  Result<> pair(const bolt::KeyValue& pair) override {
    TRUSS_ASSIGN(const RecordFacts facts, read_facts(pair.key, pair.value));
    return add(facts.key.empty() ? nullptr : entry_of(facts.key), facts);
  }
  std::vector<KeyEntry::Ptr> take_sorted();
  BytesMap<LeaseId> take_leases();
  std::int64_t newest() const { return std::max<std::int64_t>(last_.main, 1); }

 private:
  KeyEntry* entry_of(ByteView key);
  /// `entry` is that of the record's key; null without one.
  Result<> add(KeyEntry* entry, const RecordFacts& record);

  RecordScout::Impl* scout_;  // has the entries if it is there
  absl::flat_hash_map<ByteView, KeyEntry::Ptr, BytesHash>
      entries_;  // keyed by the entry's own bytes
  BytesMap<LeaseId> leases_;
  Revision last_{-1, 0};
};

KeyEntry* IndexBuilder::entry_of(ByteView key) {
  if (scout_ != nullptr) return scout_->entry_of(key);
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    KeyEntry::Ptr entry = KeyEntry::make(key);
    const ByteView own_key = entry->key();
    it = entries_.emplace(own_key, std::move(entry)).first;
  }
  return it->second.get();
}

Result<> IndexBuilder::add(KeyEntry* entry, const RecordFacts& record) {
  if (record.revision <= last_) {
    const schema::RevisionKey key(record.revision, record.tombstone);
    return fail(Code::kCorruption, "bucket key: out of order at " + to_hex(key.view()));
  }
  last_ = record.revision;
  if (entry == nullptr) return {};  // left by a restore with bumped revision; compaction removes it
  entry->restore(record.revision, record.tombstone, record.created, record.version);
  if (record.lease != 0)
    leases_.insert_or_assign(std::string(record.key), LeaseId{record.lease});
  else if (!leases_.empty())
    leases_.erase(record.key);
  return {};
}

std::vector<KeyEntry::Ptr> IndexBuilder::take_sorted() {
  if (scout_ != nullptr) return scout_->take_entries();
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

Result<Store::Impl::Restored> Store::Impl::read_index(ReadView records, const schema::Meta& meta,
                                                      RecordScout* scout) {
  IndexBuilder builder(scout);
  TRUSS_TRY(records.read_leaves(builder));
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
  TRUSS_ASSIGN(Restored restored, read_index(std::move(records), meta, nullptr));
  std::unique_lock lock(mutex);
  take(std::move(restored));
  return {};
}

Result<> Store::Impl::switch_to(ReadView records, const schema::Meta& meta, RecordScout* scout,
                                const std::function<void()>& adopt) {
  TRUSS_ASSIGN(Restored restored, read_index(std::move(records), meta, scout));
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
