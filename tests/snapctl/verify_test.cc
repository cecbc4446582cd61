#include "truss/snaptool/verify.h"

#include <doctest/doctest.h>

#include "small_db.h"
#include "truss/schema/buckets.h"
#include "truss/schema/key_value.h"
#include "truss/schema/records.h"
#include "truss/schema/revision.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::snaptool;
using schema::BucketId;

namespace {

PosixFileSystem disk;

std::vector<std::string> faults_of(const std::string& path, bool skip_hash_check = true) {
  std::vector<std::string> out;
  (void)verify(disk, path, skip_hash_check, [&](std::string_view place, const std::string& what) {
    out.push_back(std::string(place) + ": " + what);
  }).value();
  return out;
}

/// The faults of the known history with one pair of bytes put into a bucket.
std::vector<std::string> faults_with(BucketId bucket, ByteView key, ByteView value) {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", snaptool_test::known_history());
  {
    auto db = bolt::DB::open(disk, dir / "db", {.no_sync = true}).value();
    bolt::Tx tx = db->begin_write().value();
    REQUIRE((**tx.bucket(schema::bucket_name(bucket))).put(key, value).has_value());
    REQUIRE(tx.commit().has_value());
  }
  return faults_of(dir / "db");
}

std::vector<std::string> faults_with_record(schema::Revision revision, const schema::KeyValue& kv,
                                            bool tombstone = false) {
  return faults_with(BucketId::kKey, schema::RevisionKey(revision, tombstone).view(),
                     schema::encode_key_value(kv.view()).view());
}

schema::KeyValue key_value(std::string key, std::int64_t create, std::int64_t mod,
                           std::int64_t version, std::int64_t lease = 0) {
  schema::KeyValue kv;
  kv.key = std::move(key);
  kv.create_revision = create;
  kv.mod_revision = mod;
  kv.version = version;
  kv.lease = lease;
  return kv;
}

using Faults = std::vector<std::string>;

}  // namespace

TEST_CASE("a sound db has no faults, with or without a snapshot's hash") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", snaptool_test::known_history());
  snaptool_test::snapshot(dir / "db", dir / "s");
  CHECK(faults_of(dir / "db") == Faults{});
  CHECK(faults_of(dir / "s", false) == Faults{});
  const Faults missing = faults_of(dir / "db", false);
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].find("no SHA-256 behind the image") != std::string::npos);
}

TEST_CASE("histories that contradict themselves are told, with the revision") {
  CHECK(faults_with_record({13, 0}, key_value("k9", 12, 13, 2)) == Faults{});
  CHECK(faults_with_record({13, 0}, key_value("k9", 12, 13, 3)) ==
        Faults{"key: revision 13.0: version 3 created at 12 follows version 1 created at 12"});
  CHECK(faults_with_record({13, 0}, key_value("new", 5, 13, 2)) ==
        Faults{"key: revision 13.0: version 2 of a key that did not exist"});
  CHECK(faults_with_record({13, 0}, key_value("new", 12, 13, 1)) ==
        Faults{"key: revision 13.0: version 1, but created at 12"});
  CHECK(faults_with_record({13, 0}, key_value("new", 13, 14, 1)) ==
        Faults{"key: revision 13.0: says mod_revision 14"});
  CHECK(faults_with_record({13, 0}, key_value("k3", 0, 0, 0), true) ==
        Faults{"key: revision 13.0: deletes a key that does not exist"});
  CHECK(faults_with_record({13, 0}, key_value("new", 13, 13, 1, 77)) ==
        Faults{"key: the key written at revision 13 hangs on lease 77, which bucket lease does "
               "not have"});
  CHECK(faults_with_record({13, 0}, key_value("", 13, 13, 1)) ==
        Faults{"key: revision 13.0: has no key"});
}

TEST_CASE("bytes that don't decode are told with bucket and key") {
  CHECK(faults_with(BucketId::kKey, "short", "x").front().find("key: bucket key: key 73686f7274") ==
        0);
  CHECK(faults_with(BucketId::kMeta, schema::kConsistentIndexKey, "123").size() == 1);
  CHECK(faults_with(BucketId::kLease, schema::lease_key(5), "\xff").size() == 1);
  CHECK(faults_with(BucketId::kMembers, "xyz", "{}").size() == 1);
  CHECK(faults_with(BucketId::kAuthUsers, "root", "\x0a\x7f") ==
        Faults{"authUsers: key \"root\": malformed protobuf"});
  CHECK(faults_with(BucketId::kLease, schema::lease_key(5),
                    schema::encode_lease({.id = 5, .ttl = 3, .remaining_ttl = 9})) ==
        Faults{"lease: lease 5: TTL 3 s, remaining 9 s"});
}
