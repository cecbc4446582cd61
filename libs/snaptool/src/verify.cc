#include "truss/snaptool/verify.h"

#include <algorithm>

#include "index_check.h"
#include "truss/common/coding.h"
#include "truss/schema/buckets.h"
#include "truss/schema/membership.h"
#include "truss/schema/meta.h"
#include "truss/schema/records.h"
#include "truss/snap/image.h"

namespace truss::snaptool {
namespace {

using schema::bucket_name;
using schema::BucketId;

class Verifier {
 public:
  Verifier(FileSystem& fs, bool skip_hash_check, const FaultSink& fault, const Progress& progress)
      : fs_(fs), skip_hash_check_(skip_hash_check), fault_(fault), progress_(progress) {}

  Result<Inventory> run(const std::string& path) {
    TRUSS_ASSIGN(const std::string db, db_path_of(fs_, path));
    TRUSS_TRY(trailer(db));
    auto file = DbFile::open(fs_, db);
    if (!file) {
      TRUSS_TRY(judge("pages", file));
      return out_;
    }
    out_.page_bytes = file->db().page_size();
    out_.image_bytes = file->tx().size_bytes();
    check_size(*file);
    TRUSS_TRY(pages(*file));
    TRUSS_TRY(contents(file->tx()));
    return out_;
  }

 private:
  void say(std::string_view place, const std::string& what) {
    ++out_.faults;
    fault_(place, what);
  }
  /// Damage is a fault and no error. Anything else stays one.
  template <class T>
  Result<> judge(std::string_view place, const Result<T>& result) {
    if (result) return {};
    if (result.error().code != Code::kCorruption) return tl::unexpected(result.error());
    say(place, result.error().message);
    return {};
  }

  Result<> trailer(const std::string& db) {
    if (skip_hash_check_) return {};
    const Result<> right = check_trailer(fs_, db, true, progress_);
    out_.hashed = right.has_value();
    return judge("trailer", right);
  }

  void check_size(DbFile& file) {
    const auto hashed = carries_hash(file.path(), file.file_bytes(), file.db().page_size());
    if (!hashed) return say("trailer", hashed.error().message);
    const std::uint64_t image = file.file_bytes() - (*hashed ? snap::kImageHashBytes : 0);
    if (*hashed && image != out_.image_bytes) {
      say("trailer", "the image of " + std::to_string(image) + " bytes should have " +
                         std::to_string(out_.image_bytes));
    }
  }

  Result<> pages(DbFile& file) {
    return judge("pages", file.db().check([&](const std::string& what) { say("pages", what); }));
  }

  Result<> contents(bolt::Tx& tx) {
    for (const BucketId id : {BucketId::kKey, BucketId::kMeta}) {
      const auto bucket = tx.bucket(bucket_name(id));
      TRUSS_TRY(judge(bucket_name(id), bucket));
      if (bucket && !*bucket) say(bucket_name(id), "there is no such bucket: not a db of etcd");
    }
    TRUSS_TRY(judge("meta", meta(tx)));
    TRUSS_TRY(judge("lease", leases(tx)));
    TRUSS_TRY(judge("members", membership(tx)));
    TRUSS_TRY(judge("alarm", schema::read_alarms(tx)));
    TRUSS_TRY(judge("auth", schema::read_auth_enabled(tx)));
    TRUSS_TRY(judge("authUsers", messages(tx, BucketId::kAuthUsers)));
    TRUSS_TRY(judge("authRoles", messages(tx, BucketId::kAuthRoles)));
    return judge("key", keys(tx));
  }

  Result<> meta(bolt::Tx& tx) {
    TRUSS_ASSIGN(const schema::Meta meta, schema::read_meta(tx));
    const auto read = read_revisions(tx);
    if (!read) return {};  // keys() will meet the same, and say so
    const Revisions revisions = *read;
    out_.revision = revisions.newest;
    out_.compact_revision = revisions.compact;
    const std::int64_t scheduled = meta.scheduled_compact.value_or(-1);
    const std::int64_t finished = meta.finished_compact.value_or(-1);
    if (finished > scheduled) {
      say("meta", "a compaction at " + std::to_string(finished) +
                      " is finished, but the last one ordered is " + std::to_string(scheduled));
    }
    if (revisions.compact > revisions.newest && revisions.newest > 0) {
      say("meta", "compacted at " + std::to_string(revisions.compact) +
                      ", beyond the newest revision " + std::to_string(revisions.newest));
    }
    return {};
  }

  Result<> leases(bolt::Tx& tx) {
    TRUSS_ASSIGN(const auto leases, schema::read_leases(tx));
    out_.leases = leases.size();
    for (const schema::LeaseRecord& lease : leases) {
      leases_.insert(lease.id);
      if (lease.id <= 0) say("lease", "id " + std::to_string(lease.id) + " is not positive");
      if (lease.ttl > 0 && lease.remaining_ttl >= 0 && lease.remaining_ttl <= lease.ttl) continue;
      say("lease", "lease " + std::to_string(lease.id) + ": TTL " + std::to_string(lease.ttl) +
                       " s, remaining " + std::to_string(lease.remaining_ttl) + " s");
    }
    return {};
  }

  Result<> membership(bolt::Tx& tx) {
    TRUSS_ASSIGN(const schema::Membership all, schema::read_membership(tx));
    out_.members = all.members.size();
    for (const schema::Member& member : all.members) {
      if (!std::count(all.removed.begin(), all.removed.end(), member.id)) continue;
      say("members", "member " + schema::member_key(member.id) + " is listed as removed too");
    }
    return {};
  }

  /// Values of a bucket that are protobuf messages.
  Result<> messages(bolt::Tx& tx, BucketId id) {
    TRUSS_ASSIGN(const auto bucket, tx.bucket(bucket_name(id)));
    if (!bucket) return {};
    bolt::Cursor cursor = bucket->cursor();
    TRUSS_ASSIGN(auto pair, cursor.first());
    while (pair) {
      PbReader in(pair->value);
      while (in.next()) {
      }
      if (!in.ok()) say(bucket_name(id), "key " + quoted(pair->key) + ": malformed protobuf");
      TRUSS_ASSIGN(pair, cursor.next());
    }
    return {};
  }

  Result<> keys(bolt::Tx& tx) {
    IndexCheck index(out_, leases_, [&](const std::string& what) { say("key", what); });
    TRUSS_TRY(for_each_record(tx, {}, [&](const Record& record) -> Result<bool> {
      index.add(record);
      return true;
    }));
    index.finish();
    return {};
  }

  FileSystem& fs_;
  const bool skip_hash_check_;
  const FaultSink& fault_;
  const Progress& progress_;
  Inventory out_;
  absl::flat_hash_set<std::int64_t> leases_;
};

}  // namespace

Result<Inventory> verify(FileSystem& fs, const std::string& path, bool skip_hash_check,
                         const FaultSink& fault, const Progress& progress) {
  return Verifier(fs, skip_hash_check, fault, progress).run(path);
}

}  // namespace truss::snaptool
