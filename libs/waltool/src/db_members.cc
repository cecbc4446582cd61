#include "db_members.h"

#include "truss/bolt/bolt.h"
#include "truss/schema/buckets.h"

namespace truss::waltool {
namespace {

using schema::bucket_name;
using schema::BucketId;

Result<DbMembers::Pairs> pairs_of(bolt::Tx& tx, BucketId id) {
  DbMembers::Pairs out;
  TRUSS_ASSIGN(const auto bucket, tx.bucket(bucket_name(id)));
  if (!bucket) return out;
  bolt::Cursor cursor = bucket->cursor();
  TRUSS_ASSIGN(auto pair, cursor.first());
  while (pair) {
    out.emplace_back(pair->key, pair->value);
    TRUSS_ASSIGN(pair, cursor.next());
  }
  return out;
}

Result<> replace(bolt::Tx& tx, BucketId id, const DbMembers::Pairs& pairs) {
  TRUSS_ASSIGN(const auto old, tx.bucket(bucket_name(id)));
  if (old) TRUSS_TRY(tx.remove_bucket(bucket_name(id)));
  TRUSS_ASSIGN(bolt::Bucket bucket, tx.create_bucket(bucket_name(id)));
  for (const auto& [key, value] : pairs) TRUSS_TRY(bucket.put(key, value));
  return {};
}

}  // namespace

Result<DbMembers> read_db_members(bolt::Tx& tx) {
  DbMembers out;
  TRUSS_ASSIGN(out.members, pairs_of(tx, BucketId::kMembers));
  TRUSS_ASSIGN(out.removed, pairs_of(tx, BucketId::kMembersRemoved));
  TRUSS_ASSIGN(const auto meta, tx.bucket(bucket_name(BucketId::kMeta)));
  if (!meta) return out;
  TRUSS_ASSIGN(const auto conf, meta->get(schema::kConfStateKey));
  if (conf) out.conf_state = std::string(*conf);
  return out;
}

Result<> write_db_members(bolt::Tx& tx, const DbMembers& members) {
  TRUSS_TRY(replace(tx, BucketId::kMembers, members.members));
  TRUSS_TRY(replace(tx, BucketId::kMembersRemoved, members.removed));
  TRUSS_ASSIGN(bolt::Bucket meta, tx.create_bucket_if_absent(bucket_name(BucketId::kMeta)));
  if (members.conf_state) return meta.put(schema::kConfStateKey, *members.conf_state);
  return meta.remove(schema::kConfStateKey);
}

}  // namespace truss::waltool
