#include "truss/snaptool/records.h"

#include <algorithm>

#include "truss/schema/buckets.h"
#include "truss/schema/meta.h"

namespace truss::snaptool {
namespace {

std::string text_of(schema::Revision revision) {
  return std::to_string(revision.main) + "." + std::to_string(revision.sub);
}

Result<Record> record_of(const bolt::KeyValue& pair) {
  auto decoded = schema::decode_revision(pair.key);
  if (!decoded) return fail("bucket key: key " + to_hex(pair.key.substr(0, 64)), decoded.error());
  return Record{decoded->revision, decoded->tombstone, pair.key, pair.value};
}

}  // namespace

Result<> for_each_record(bolt::Tx& tx, schema::Revision first,
                         const std::function<Result<bool>(const Record&)>& visit) {
  TRUSS_ASSIGN(const auto bucket, tx.bucket(schema::bucket_name(schema::BucketId::kKey)));
  if (!bucket) return {};
  MemorySparer memory(tx);
  bolt::Cursor cursor = bucket->cursor();
  schema::Revision before{-1, 0};
  TRUSS_ASSIGN(auto pair, cursor.seek(schema::RevisionKey(first).view()));
  while (pair) {
    TRUSS_ASSIGN(const Record record, record_of(*pair));
    if (record.revision <= before) {
      return fail(Code::kCorruption, "bucket key: revision " + text_of(record.revision) +
                                         " comes after " + text_of(before));
    }
    before = record.revision;
    memory.touched(pair->key.size() + pair->value.size());
    TRUSS_ASSIGN(const bool more, visit(record));
    if (!more) return {};
    TRUSS_ASSIGN(pair, cursor.next());
  }
  return {};
}

Result<schema::KeyValueView> decode(const Record& record) {
  auto kv = schema::decode_key_value(record.value);
  if (kv) return *kv;
  return fail("bucket key: revision " + text_of(record.revision), kv.error());
}

Result<schema::KeyValueView> record_at(bolt::Bucket& keys, schema::Revision revision) {
  const schema::RevisionKey key(revision);
  TRUSS_ASSIGN(const auto value, keys.get(key.view()));
  if (!value) return fail(Code::kNotFound, "bucket key: no revision " + text_of(revision));
  return decode({revision, false, key.view(), *value});
}

Result<Revisions> read_revisions(bolt::Tx& tx) {
  Revisions out;
  TRUSS_ASSIGN(const auto bucket, tx.bucket(schema::bucket_name(schema::BucketId::kKey)));
  if (bucket) {
    bolt::Cursor cursor = bucket->cursor();
    TRUSS_ASSIGN(const auto last, cursor.last());
    if (last) {
      TRUSS_ASSIGN(const Record record, record_of(*last));
      out.newest = record.revision.main;
    }
  }
  TRUSS_ASSIGN(const schema::Meta meta, schema::read_meta(tx));
  out.compact = std::max(meta.finished_compact.value_or(-1), meta.scheduled_compact.value_or(-1));
  out.current = std::max({out.newest, out.compact, std::int64_t{1}});
  return out;
}

}  // namespace truss::snaptool
