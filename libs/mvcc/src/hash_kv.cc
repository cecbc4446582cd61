#include <absl/container/flat_hash_set.h>

#include "store_impl.h"
#include "truss/common/crc32c.h"

/// HashKV: the CRC by which members compare their keys.
namespace truss::mvcc {
namespace {

constexpr std::size_t kWalkSlice = 2'000;  // keys looked at under one hold of the lock

/// What a compaction at `revision` would keep, as far as `compacted` could have dropped it.
struct KeepSet {
  absl::flat_hash_set<std::pair<std::int64_t, std::int64_t>> revisions;
  bool empty = true;
};

}  // namespace

Result<HashKv> Store::hash_kv(std::int64_t revision) {
  Impl& s = *impl_;
  const ScopedTime timed(s.clock, s.metrics.hashes);
  HashKv out;
  std::shared_lock lock(s.mutex);
  out.current_revision = s.current;
  out.compact_revision = s.compacted;
  out.hash_revision = revision == 0 ? s.current : revision;
  const std::int64_t oldest = s.compacted + (s.options.hash_at_compact ? 0 : 1);
  // As in etcd, 0 still answers in a store compacted at its newest revision.
  if (revision > 0 && revision < oldest) return tl::unexpected(errors::compacted());
  if (out.hash_revision > s.current) return tl::unexpected(errors::future_revision());
  TRUSS_ASSIGN(ReadView view, s.backend->view());
  s.add_reader_locked(out.hash_revision);
  const std::uint64_t generation = s.generation;
  lock.unlock();

  KeepSet keep;
  bool replaced = false;
  std::optional<std::string> from = std::string();
  while (from && out.compact_revision >= 0) {
    std::shared_lock slice(s.mutex);
    replaced = s.generation != generation;
    if (replaced) break;
    from = s.index.walk(*from, kWalkSlice, [&](const KeyEntry& entry) {
      const KeyEntry::Item* item = entry.live_at(out.hash_revision);
      if (!item) return;
      keep.empty = false;
      if (item->main <= out.compact_revision) keep.revisions.emplace(item->main, item->sub);
    });
  }
  s.drop_reader(out.hash_revision);
  if (replaced) return hash_kv(revision);  // the index is no longer that of the view

  out.hash = crc32c("key");
  const auto feed = [&](const ReadView::Record& r) -> Result<bool> {
    const bool old = r.revision.main <= out.compact_revision;
    if (old && !keep.empty && !keep.revisions.contains({r.revision.main, r.revision.sub}))
      return true;
    if (r.tombstone && r.revision.main == out.compact_revision) return true;
    out.hash = crc32c(r.value, crc32c(r.key, out.hash));
    return true;
  };
  TRUSS_TRY(view.scan({0, 0}, {out.hash_revision + 1, 0}, feed));
  return out;
}

}  // namespace truss::mvcc
