#include "restore_db.h"

#include <algorithm>
#include <optional>

#include "image_sink.h"
#include "truss/schema/buckets.h"
#include "truss/schema/membership.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"
#include "truss/snap/image.h"
#include "truss/snaptool/records.h"

// The db of a restored member.
namespace truss::snaptool {
namespace {

using schema::bucket_name;
using schema::BucketId;

/// Reads the image once: what is hashed is what is written.
Result<> copy(File& source, ImageSink& target, std::uint64_t bytes, const std::string& path,
              const Progress& progress) {
  while (target.bytes() < bytes) {
    const std::span<char> room = target.room();
    const std::uint64_t offset = target.bytes();
    const std::uint64_t wanted = std::min<std::uint64_t>(room.size(), bytes - offset);
    TRUSS_ASSIGN(const std::size_t got, source.pread(room.first(wanted), offset));
    if (got == 0) return fail(Code::kCorruption, path + ": the file shrank while being read");
    TRUSS_TRY(target.advance(got));
    if (progress) progress(target.bytes(), bytes);
  }
  return target.finish();
}

Result<> compare_trailer(File& source, std::uint64_t image, const snap::ImageHash& own,
                         const std::string& path) {
  snap::ImageHash expected{};
  TRUSS_ASSIGN(const std::size_t got, source.pread(expected, image));
  if (got == snap::kImageHashBytes && own == expected) return {};
  return fail(Code::kCorruption, path + ": expected sha256 " +
                                     to_hex({expected.data(), expected.size()}) + ", got " +
                                     to_hex({own.data(), own.size()}) +
                                     "; the snapshot is damaged: take it from another copy");
}

/// Walks the pages of the snapshot. Nobody writes to it meanwhile, and where it has a SHA-256 the
/// copy was compared with that: the copy's pages are the same.
Result<> walk_pages(DbFile& file, bolt::PageSet& reached) {
  const bolt::Meta& meta = file.tx().meta();
  const bool whole = file.tx().view().page_limit == meta.high_water;
  if (!whole || meta.freelist != bolt::kNoFreelist) return check_pages(file);
  if (bolt::walk_tree(file.tx().view(), meta, true, 1, reached).empty()) return {};
  return check_pages(file);  // names the first fault, and how many there are
}

/// Empties a bucket, or makes it.
Result<bolt::Bucket> fresh_bucket(bolt::Tx& tx, BucketId id) {
  TRUSS_ASSIGN(const auto old, tx.bucket(bucket_name(id)));
  if (old) TRUSS_TRY(tx.remove_bucket(bucket_name(id)));
  return tx.create_bucket(bucket_name(id));
}

Result<> write_membership(bolt::Tx& tx, const RestorePlan& plan) {
  TRUSS_TRY(fresh_bucket(tx, BucketId::kMembersRemoved));
  TRUSS_ASSIGN(bolt::Bucket members, fresh_bucket(tx, BucketId::kMembers));
  TRUSS_ASSIGN(bolt::Bucket meta, tx.create_bucket_if_absent(bucket_name(BucketId::kMeta)));
  schema::ConfState voters;
  for (const RestoredMember& member : plan.members) {
    const std::uint64_t id = member.id.value();
    const schema::Member record{
        .id = id, .peer_urls = member.peer_urls, .name = member.name, .client_urls = {}};
    TRUSS_TRY(members.put(schema::member_key(id), schema::encode_member(record)));
    voters.voters.push_back(id);
  }
  TRUSS_TRY(meta.put(schema::kConsistentIndexKey, schema::encode_u64(plan.members.size())));
  TRUSS_TRY(meta.put(schema::kTermKey, schema::encode_u64(1)));
  return meta.put(schema::kConfStateKey, schema::encode_conf_state(voters));
}

/// An empty record far ahead is the newest revision; what lies before it counts as compacted. The
/// member removes it when it compacts at its first start.
Result<> bump(bolt::Tx& tx, std::uint64_t by, EditedDb& out) {
  if (out.revision > INT64_MAX - static_cast<std::int64_t>(by)) {
    return fail(Code::kInvalidArgument,
                "--bump-revision " + std::to_string(by) + ": beyond the largest revision");
  }
  out.revision += static_cast<std::int64_t>(by);
  out.compact_revision = out.revision;
  TRUSS_ASSIGN(bolt::Bucket keys, tx.create_bucket_if_absent(bucket_name(BucketId::kKey)));
  TRUSS_TRY(keys.put(schema::RevisionKey({out.revision, 0}).view(), {}));
  TRUSS_ASSIGN(bolt::Bucket meta, tx.create_bucket_if_absent(bucket_name(BucketId::kMeta)));
  return meta.put(schema::kScheduledCompactKey, schema::RevisionKey({out.revision, 0}).view());
}

Result<> check_is_etcd(bolt::Tx& tx, const std::string& path) {
  for (const BucketId id : {BucketId::kKey, BucketId::kMeta}) {
    TRUSS_ASSIGN(const auto bucket, tx.bucket(bucket_name(id)));
    if (bucket) continue;
    return fail(Code::kFailedPrecondition,
                path + ": not a db of etcd: it has no bucket " + std::string(bucket_name(id)));
  }
  return {};
}

}  // namespace

Result<bolt::PageSet> copy_image(FileSystem& fs, const RestoreOptions& options,
                                 const std::string& target, const Progress& progress) {
  TRUSS_ASSIGN(DbFile locked, DbFile::open(fs, options.snapshot));  // nobody writes to it meanwhile
  const std::string& path = locked.path();
  auto hashed = carries_hash(path, locked.file_bytes(), locked.db().page_size());
  if (!hashed && !options.skip_hash_check) return tl::unexpected(hashed.error());
  const bool has_hash = snap::has_image_hash(locked.file_bytes());
  const bool check = !options.skip_hash_check;
  if (!has_hash && check) return tl::unexpected(check_trailer(fs, path, true).error());
  TRUSS_ASSIGN(const auto source, fs.open(path, {}));
  TRUSS_ASSIGN(const auto sink,
               ImageSink::create(fs, target,
                                 {.exclusive = true, .hash = check, .threads = options.threads}));
  const std::uint64_t image =
      has_hash ? locked.file_bytes() - snap::kImageHashBytes : locked.file_bytes();
  bolt::PageSet reached(locked.tx().view().page_limit);
  Result<> pages;
  const auto walk = [&] { pages = walk_pages(locked, reached); };
  Thread walker;
  if (options.threads > 1) walker = Thread("pages", walk);
  const Result<> copied = copy(*source, *sink, image, path, progress);
  if (options.threads <= 1) walk();
  walker.join();
  TRUSS_TRY(copied);
  if (check) TRUSS_TRY(compare_trailer(*source, image, sink->hasher().finish(), path));
  TRUSS_TRY(pages);
  return reached;
}

Result<EditedDb> edit_db(FileSystem& fs, Process& process, const RestoreOptions& options,
                         const RestorePlan& plan, const std::string& path,
                         const bolt::PageSet& reached) {
  EditedDb out;
  TRUSS_ASSIGN(
      auto db,
      bolt::DB::open(fs, path,
                     {.low_memory = true, .walk_threads = options.threads, .reachable = &reached},
                     [&](std::string_view why) { process.fatal(why); }));
  TRUSS_ASSIGN(bolt::Tx tx, db->begin_write());
  TRUSS_TRY(check_is_etcd(tx, options.snapshot));
  TRUSS_ASSIGN(const Revisions before, read_revisions(tx));
  out = {std::max(before.newest, std::int64_t{1}), before.compact};
  TRUSS_TRY(write_membership(tx, plan));
  if (options.mark_compacted) TRUSS_TRY(bump(tx, options.bump_revision, out));
  TRUSS_TRY(tx.commit());
  return out;
}

}  // namespace truss::snaptool
