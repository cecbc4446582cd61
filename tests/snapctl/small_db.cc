#include "small_db.h"

#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "truss/schema/buckets.h"
#include "truss/schema/key_value.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"
#include "truss/snap/image.h"

namespace truss::snaptool_test {
namespace {

using schema::bucket_name;
using schema::BucketId;

void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().message);
}

void put_change(bolt::Bucket& keys, const Change& c,
                std::map<std::string, schema::KeyValue>& live) {
  const schema::RevisionKey revision({c.main, c.sub}, !c.value);
  schema::KeyValue kv;
  kv.key = c.key;
  if (c.value) {
    schema::KeyValue& state = live[c.key];
    if (state.version == 0) state.create_revision = c.main;
    ++state.version;
    kv.create_revision = state.create_revision;
    kv.version = state.version;
    kv.mod_revision = c.main;
    kv.value = *c.value;
  } else {
    live.erase(c.key);
  }
  must(keys.put(revision.view(), schema::encode_key_value(kv.view()).view()));
}

}  // namespace

void write_db(const std::string& path, const std::vector<Change>& history,
              std::optional<std::int64_t> compacted) {
  PosixFileSystem disk;
  auto db = bolt::DB::open(disk, path, {.page_size = 1024, .no_sync = true}).value();
  bolt::Tx tx = db->begin_write().value();
  must(schema::create_buckets(tx));
  bolt::Bucket keys = **tx.bucket(bucket_name(BucketId::kKey));
  std::map<std::string, schema::KeyValue> live;
  for (const Change& change : history) put_change(keys, change, live);
  bolt::Bucket meta = **tx.bucket(bucket_name(BucketId::kMeta));
  must(meta.put(schema::kConsistentIndexKey, schema::encode_u64(7)));
  if (compacted) {
    const schema::RevisionKey revision({*compacted, 0});
    must(meta.put(schema::kScheduledCompactKey, revision.view()));
    must(meta.put(schema::kFinishedCompactKey, revision.view()));
  }
  must(tx.commit());
}

std::vector<Change> known_history() {
  return {{2, 0, "k0", "a"},      {3, 0, "k1", "a"}, {4, 0, "k2", "a"}, {5, 0, "k3", "a"},
          {6, 0, "k4", "a"},      {7, 0, "k0", "b"}, {8, 0, "k0", "c"}, {9, 0, "k1", {}},
          {10, 0, "k1", "again"}, {11, 0, "k2", {}}, {11, 1, "k3", {}}, {12, 0, "k9", "z"}};
}

void snapshot(const std::string& from, const std::string& to) {
  PosixFileSystem disk;
  auto db = bolt::DB::open(disk, from, {.read_only = true}).value();
  bolt::Tx tx = db->begin_read().value();
  snap::ImageWriter writer = snap::ImageWriter::create(disk, to).value();
  must(tx.write_to([&](ByteView piece) { return writer.append(piece); }));
  (void)writer.finish().value();
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace truss::snaptool_test
