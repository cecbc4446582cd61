#include "truss/waltool/revisions.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "truss/bolt/bolt.h"
#include "truss/common/coding.h"
#include "truss/schema/buckets.h"
#include "truss/schema/key_value.h"
#include "truss/tool/unlocked_files.h"
#include "truss/waltool/entries.h"
#include "truss/waltool/evidence.h"
#include "truss/waltool/operation.h"

namespace truss::waltool {
namespace {

/// What an entry may have changed.
struct Change {
  raft::Index index;
  bool surely = false;  ///< a put always makes a revision
  std::vector<std::pair<std::string, std::string>> ranges;
};

bool holds(const Change& change, ByteView key) {
  return std::ranges::any_of(change.ranges, [&](const auto& range) {
    const auto& [first, end] = range;
    if (end.empty()) return key == first;
    return key >= first && (end == std::string(1, '\0') || key < end);
  });
}

std::optional<Change> change_of(const LogEntry& entry) {
  const Operation operation = decode_operation(entry.type, entry.data);
  Change out{.index = entry.index, .surely = operation.kind == OperationKind::kPut, .ranges = {}};
  for (const Touch& touch : operation.touches) {
    if (touch.kind != OperationKind::kRange)
      out.ranges.emplace_back(std::string(touch.key), std::string(touch.range_end));
  }
  if (out.ranges.empty()) return std::nullopt;
  return out;
}

/// A key that `revision` changed; nullopt if compaction took it.
Result<std::optional<std::string>> key_of(const bolt::Bucket& keys, std::int64_t revision) {
  char prefix[8];
  store_be64(prefix, static_cast<std::uint64_t>(revision));
  TRUSS_ASSIGN(const auto found, keys.cursor().seek(ByteView(prefix, sizeof prefix)));
  if (!found || !found->key.starts_with(ByteView(prefix, sizeof prefix))) return std::nullopt;
  TRUSS_ASSIGN(const auto kv, schema::decode_key_value(found->value));
  return std::optional(std::string(kv.key));
}

}  // namespace

Result<raft::Index> index_of_revision(FileSystem& fs, const DataDir& dir, std::int64_t revision) {
  if (dir.db.empty()) return fail(Code::kNotFound, "--from needs the db, and there is none");
  TRUSS_ASSIGN(const DbFacts facts, read_db(fs, dir.db));
  if (revision > facts.revision) {
    return fail(Code::kOutOfRange, "revision " + std::to_string(revision) +
                                       " lies above the db's, " + std::to_string(facts.revision));
  }
  std::deque<Change> changes;
  TRUSS_TRY(each_entry(fs, dir, [&](const LogEntry& entry) {
    if (entry.index.value() > facts.consistent_index) return false;
    if (auto change = change_of(entry)) changes.push_back(*std::move(change));
    return true;
  }));
  tool::UnlockedFiles files(fs);
  TRUSS_ASSIGN(const auto db, bolt::DB::open(files, dir.db, {.read_only = true}));
  TRUSS_ASSIGN(auto tx, db->begin_read());
  TRUSS_ASSIGN(const auto keys, tx.bucket(schema::bucket_name(schema::BucketId::kKey)));
  std::int64_t now = facts.revision;
  for (auto it = changes.rbegin(); it != changes.rend() && keys; ++it) {
    TRUSS_ASSIGN(auto key, key_of(*keys, now));
    // A revision that a lease's end made lies between two puts.
    while (it->surely && key && !holds(*it, *key) && now > revision) {
      --now;
      TRUSS_ASSIGN(key, key_of(*keys, now));
    }
    if (!it->surely && !key) {
      return fail(Code::kFailedPrecondition,
                  "revision " + std::to_string(now) +
                      " is compacted, so it can't be told whether entry " +
                      std::to_string(it->index.value()) + " made it: use --from-index");
    }
    const bool made = !key || holds(*it, *key);
    if (!made && it->surely) return it->index + 1;  // the one asked for, by a lease
    if (!made) continue;
    if (now == revision) return it->index;
    --now;
  }
  return fail(Code::kOutOfRange, "the log does not go back to revision " +
                                     std::to_string(revision) +
                                     "; its first entry made one above " + std::to_string(now));
}

}  // namespace truss::waltool
