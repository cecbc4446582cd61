#include "truss/snaptool/status.h"

#include "live_key_counter.h"
#include "truss/common/crc32c.h"
#include "truss/common/executor.h"
#include "truss/schema/buckets.h"
#include "truss/schema/meta.h"
#include "truss/snap/image.h"
#include "truss/snaptool/records.h"

namespace truss::snaptool {
namespace {

constexpr ByteView kKeyBucket = schema::bucket_name(schema::BucketId::kKey);

/// Checks the trailer on a thread of its own.
class TrailerCheck {
 public:
  TrailerCheck(FileSystem& fs, const std::string& path, const Progress& progress)
      : thread_("sha256", [this, &fs, path, &progress] {
          result_ = check_trailer(fs, path, true, progress);
        }) {}
  Result<> wait() {
    thread_.join();
    return result_;
  }

 private:
  Result<> result_;
  Thread thread_;
};

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

class StatusWalk {
 public:
  explicit StatusWalk(bolt::Tx& tx) : tx_(tx), memory_(tx) {}

  Result<> run(Status& out) {
    bolt::Cursor buckets = tx_.cursor();
    TRUSS_ASSIGN(auto bucket, buckets.first());
    while (bucket) {
      TRUSS_TRY(walk(bucket->key, out));
      TRUSS_ASSIGN(bucket, buckets.next());
    }
    while (live_.again()) TRUSS_TRY(count_keys(tx_, INT64_MAX, live_));
    out.live_keys = live_.count();
    return {};
  }

 private:
  Result<> walk(ByteView name, Status& out) {
    TRUSS_ASSIGN(const auto bucket, tx_.bucket(name));
    if (!bucket) return fail(Code::kCorruption, "cannot get hash of bucket " + quoted(name));
    out.hash = crc32c(name, out.hash);
    const bool keys = name == kKeyBucket;
    bolt::Cursor cursor = bucket->cursor();
    TRUSS_ASSIGN(auto pair, cursor.first());
    for (; pair; ++out.total_keys) {
      out.hash = crc32c(pair->value, crc32c(pair->key, out.hash));
      if (keys) {
        TRUSS_TRY(count_key(pair->key, pair->value, live_));
        out.revision = schema::decode_revision(pair->key)->revision.main;
      }
      memory_.touched(pair->key.size() + pair->value.size());
      TRUSS_ASSIGN(pair, cursor.next());
    }
    return {};
  }

  bolt::Tx& tx_;
  MemorySparer memory_;
  LiveKeyCounter live_;
};

Result<Status> walk_file(DbFile& file) {
  TRUSS_TRY(check_pages(file));
  Status out;
  out.total_bytes = file.tx().size_bytes();
  TRUSS_TRY(StatusWalk(file.tx()).run(out));
  TRUSS_ASSIGN(const schema::Meta meta, schema::read_meta(file.tx()));
  out.version = meta.storage_version.value_or("");
  return out;
}

}  // namespace

Result<Status> read_status(FileSystem& fs, const std::string& path, bool skip_hash_check,
                           const Progress& progress) {
  TRUSS_ASSIGN(DbFile file, DbFile::open(fs, path));
  auto hashed = carries_hash(file.path(), file.file_bytes(), file.db().page_size());
  if (!hashed && !skip_hash_check) return tl::unexpected(hashed.error());
  if (skip_hash_check || !*hashed) return walk_file(file);
  TrailerCheck trailer(fs, file.path(), progress);
  Result<Status> out = walk_file(file);
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
