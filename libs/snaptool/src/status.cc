#include "truss/snaptool/status.h"

#include "content_walk.h"
#include "live_key_counter.h"
#include "trailer_check.h"
#include "truss/bolt/meta.h"
#include "truss/bolt/page.h"
#include "truss/schema/meta.h"
#include "truss/snaptool/records.h"

namespace truss::snaptool {
namespace {

Result<> count_key(ByteView key, ByteView value, LiveKeyCounter& live) {
  TRUSS_ASSIGN(const auto revision, schema::decode_revision(key));
  if (value.empty()) return {};  // left by a bumped revision
  TRUSS_ASSIGN(const auto kv, decode({revision.revision, revision.tombstone, key, value}));
  revision.tombstone ? live.remove(kv.key) : live.put(kv.key);
  return {};
}

/// One more pass over the history.
Result<> count_keys(bolt::Tx& tx, std::int64_t revision, LiveKeyCounter& live) {
  return for_each_record(tx, {}, [&](const Record& r) -> Result<bool> {
    if (r.revision.main > revision) return false;
    TRUSS_TRY(count_key(r.key, r.value, live));
    return true;
  });
}

/// As etcdutl 3.6 does, who takes the last record of each key: of a history that a compaction was
/// cut off in, or that etcd didn't write.
Result<std::uint64_t> count_one_by_one(bolt::Tx& tx, const std::optional<LiveTally>& tally) {
  const bool sure = tally && tally->balance() >= 0 && !tally->doubtful();
  if (sure) return static_cast<std::uint64_t>(tally->balance());
  return count_live_keys(tx);
}

Result<Status> walk_file(DbFile& file, unsigned threads) {
  Status out;
  const bolt::Meta& state = file.tx().meta();
  if (state.freelist != bolt::kNoFreelist) TRUSS_TRY(check_pages(file));
  TRUSS_ASSIGN(const schema::Meta meta, schema::read_meta(file.tx()));
  auto content = walk_content(file.tx(), threads, LiveTally::of(meta));
  if (!content || file.tx().view().page_limit < state.high_water) {
    TRUSS_TRY(check_pages(file));  // names the first fault, and how many there are
  }
  if (!content) return tl::unexpected(std::move(content).error());
  out.hash = content->hash;
  out.total_keys = content->entries;
  out.revision = content->revision;
  TRUSS_ASSIGN(out.live_keys, count_one_by_one(file.tx(), content->live));
  out.total_bytes = file.tx().size_bytes();
  out.version = meta.storage_version.value_or("");
  return out;
}

}  // namespace

Result<Status> read_status(FileSystem& fs, const std::string& path, const StatusOptions& options,
                           const Progress& progress) {
  TRUSS_ASSIGN(DbFile file, DbFile::open(fs, path));
  if (options.any_size) return walk_file(file, options.threads);
  TRUSS_ASSIGN(const bool hashed,
               carries_hash(file.path(), file.file_bytes(), file.db().page_size()));
  if (!hashed || !options.check_hash) return walk_file(file, options.threads);
  TrailerCheck trailer(fs, file.path(), options.threads, progress);
  Result<Status> out = walk_file(file, options.threads);
  TRUSS_TRY(trailer.wait());  // says more than what the walk ran into
  if (out) out->hashed = true;
  return out;
}

Result<std::uint64_t> count_live_keys(bolt::Tx& tx, std::int64_t revision) {
  LiveKeyCounter live;
  do TRUSS_TRY(count_keys(tx, revision, live));
  while (live.again());
  return live.count();
}

}  // namespace truss::snaptool
