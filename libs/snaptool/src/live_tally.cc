#include "live_tally.h"

#include "truss/snaptool/records.h"

namespace truss::snaptool {

std::optional<LiveTally> LiveTally::of(const schema::Meta& meta) {
  const std::int64_t finished = meta.finished_compact.value_or(0);
  if (meta.scheduled_compact.value_or(0) != finished) return std::nullopt;
  return LiveTally(finished);
}

Result<> LiveTally::count(ByteView key, ByteView value) {
  TRUSS_ASSIGN(const auto revision, schema::decode_revision(key));
  if (value.empty()) return {};  // left by a bumped revision
  const bool compacted = revision.revision.main <= compacted_;
  if (revision.tombstone) {
    // From 3.6 on a compaction at a deletion keeps its tombstone: rare enough to count anew.
    compacted ? compacted_keys_->doubtful() : void(--balance_);
    return {};
  }
  TRUSS_ASSIGN(const auto kv, decode({revision.revision, false, key, value}));
  if (compacted) compacted_keys_->put(kv.key);
  if (compacted || kv.version == 1) ++balance_;
  return {};
}

}  // namespace truss::snaptool
