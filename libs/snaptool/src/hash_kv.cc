#include "truss/snaptool/hash_kv.h"

#include <absl/container/flat_hash_map.h>

#include "fingerprint.h"
#include "truss/common/crc32c.h"
#include "truss/snaptool/records.h"
#include "truss/snaptool/status.h"

namespace truss::snaptool {
namespace {

/// What a compaction at `rev` would keep of the records that the last one could have dropped: of
/// each key alive at `rev` and not changed since `compact`, the newest.
class KeepSet {
 public:
  static Result<KeepSet> read(bolt::Tx& tx, std::int64_t compact, std::int64_t rev) {
    KeepSet out;
    if (compact < 0) return out;
    TRUSS_TRY(for_each_record(tx, {}, [&](const Record& r) -> Result<bool> {
      if (r.revision.main > rev) return false;
      return out.add(r, compact);
    }));
    out.empty_ = out.newest_.empty();
    if (out.empty_) {
      TRUSS_ASSIGN(const std::uint64_t alive, count_live_keys(tx, rev));
      out.empty_ = alive == 0;
    }
    return out;
  }
  bool empty() const { return empty_; }
  Result<bool> contains(const Record& r) const {
    TRUSS_ASSIGN(const auto kv, decode(r));
    const auto it = newest_.find(fingerprint(kv.key));
    return it != newest_.end() && it->second == r.revision;
  }

 private:
  Result<bool> add(const Record& r, std::int64_t compact) {
    if (r.value.empty()) return true;
    TRUSS_ASSIGN(const auto kv, decode(r));
    const Fingerprint key = fingerprint(kv.key);
    if (r.revision.main <= compact && !r.tombstone) {
      newest_[key] = r.revision;
    } else {
      newest_.erase(key);
    }
    return true;
  }

  absl::flat_hash_map<Fingerprint, schema::Revision, FingerprintHash> newest_;
  bool empty_ = true;
};

}  // namespace

Result<HashKv> hash_kv(bolt::Tx& tx, std::int64_t revision) {
  TRUSS_ASSIGN(const Revisions revisions, read_revisions(tx));
  HashKv out;
  out.current_revision = revisions.current;
  out.compact_revision = revisions.compact;
  out.hash_revision = revision == 0 ? revisions.current : revision;
  if (out.hash_revision > revisions.current) {
    return fail(Code::kOutOfRange,
                "required revision is a future revision: " + std::to_string(out.hash_revision) +
                    " > " + std::to_string(revisions.current));
  }
  if (out.hash_revision < revisions.compact) {
    return fail(Code::kOutOfRange,
                "required revision has been compacted: " + std::to_string(out.hash_revision) +
                    " < " + std::to_string(revisions.compact));
  }
  TRUSS_ASSIGN(const KeepSet keep, KeepSet::read(tx, out.compact_revision, out.hash_revision));
  out.hash = crc32c("key");
  const auto feed = [&](const Record& r) -> Result<bool> {
    if (r.revision.main > out.hash_revision) return false;
    if (r.tombstone && r.revision.main == out.compact_revision) return true;
    if (r.revision.main <= out.compact_revision && !keep.empty()) {
      TRUSS_ASSIGN(const bool kept, keep.contains(r));
      if (!kept) return true;
    }
    out.hash = crc32c(r.value, crc32c(r.key, out.hash));
    return true;
  };
  TRUSS_TRY(for_each_record(tx, {}, feed));
  return out;
}

}  // namespace truss::snaptool
