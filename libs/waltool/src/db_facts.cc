#include "truss/bolt/bolt.h"
#include "truss/common/coding.h"
#include "truss/schema/buckets.h"
#include "truss/schema/membership.h"
#include "truss/schema/meta.h"
#include "truss/tool/unlocked_files.h"
#include "truss/waltool/evidence.h"

namespace truss::waltool {
namespace {

// Beside a writer, pages may change under a reader; the next look is at a newer root.
constexpr int kTries = 5;

Result<std::int64_t> last_revision(bolt::Tx& tx) {
  TRUSS_ASSIGN(const auto bucket, tx.bucket(schema::bucket_name(schema::BucketId::kKey)));
  if (!bucket) return 0;
  TRUSS_ASSIGN(const auto last, bucket->cursor().last());
  if (!last || last->key.size() < 8) return 0;
  return static_cast<std::int64_t>(load_be64(last->key.data()));
}

Result<DbFacts> read_once(FileSystem& fs, const std::string& path) {
  TRUSS_ASSIGN(const FileInfo info, fs.stat(path));
  if (info.size == 0) return fail(Code::kCorruption, path + ": the file is empty");
  TRUSS_ASSIGN(const auto db, bolt::DB::open(fs, path, {.read_only = true}));
  TRUSS_ASSIGN(auto tx, db->begin_read());
  TRUSS_ASSIGN(const auto meta, schema::read_meta(tx));
  TRUSS_ASSIGN(const auto membership, schema::read_membership(tx));
  DbFacts out;
  out.consistent_index = meta.consistent_index;
  out.term = meta.term;
  out.compacted = meta.finished_compact.value_or(0);
  out.storage_version = meta.storage_version.value_or("");
  out.cluster_version = membership.cluster_version;
  out.removed = membership.removed;
  for (const auto& member : membership.members) out.members[member.id] = member.is_learner;
  TRUSS_ASSIGN(out.revision, last_revision(tx));
  return out;
}

}  // namespace

Result<DbFacts> read_db(FileSystem& fs, const std::string& path) {
  tool::UnlockedFiles files(fs);
  for (int i = 1;; ++i) {
    auto facts = read_once(files, path);
    if (facts || i == kTries || facts.error().code != Code::kCorruption) return facts;
  }
}

}  // namespace truss::waltool
