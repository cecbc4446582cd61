#include <doctest/doctest.h>

#include "truss/common/executor.h"
#include "truss/common/process.h"
#include "truss/lease/lessor.h"
#include "truss/mvcc/store.h"
#include "truss/schema/membership.h"
#include "truss/test_support/artefacts.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::mvcc;
using rapidjson::Value;

namespace {

constexpr ByteView kEveryKey{"\0", 1};

/// A copy of an artefact's db, opened as a member would. Copied, because opening may write.
struct OpenedDb {
  explicit OpenedDb(const std::string& path) {
    auto bytes = read_file(fs, path);
    REQUIRE(bytes);
    auto file = fs.open(dir / "db", {.write = true, .create = true});
    REQUIRE(file);
    REQUIRE((*file)->pwrite(*bytes, 0));
    file->reset();
    auto opened =
        Backend::open(fs, *executor, runtime.clock(), process, logger, {.path = dir / "db"});
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    backend = *std::move(opened);
    auto store_opened = Store::open(*backend, *executor, runtime.clock(), logger, {});
    REQUIRE_MESSAGE(store_opened, (store_opened ? "" : store_opened.error().message));
    store = *std::move(store_opened);
  }
  ~OpenedDb() { executor->stop(); }

  test_support::TempDir dir;
  PosixFileSystem fs;
  ThreadRuntime runtime;
  SystemProcess process;
  NullLogger logger;
  std::unique_ptr<Executor> executor = runtime.make_executor("db");
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Store> store;
};

void check_membership(OpenedDb& opened, const Value& want) {
  auto snapshot = opened.backend->snapshot();
  REQUIRE(snapshot);
  const auto membership = schema::read_membership(snapshot->tx());
  REQUIRE(membership);
  CHECK(membership->cluster_version == want["cluster_version"].GetString());
  const auto& members = want["members"].GetArray();
  REQUIRE(membership->members.size() == members.Size());
  for (unsigned i = 0; i < members.Size(); ++i)
    CHECK(schema::member_key(membership->members[i].id) == members[i].GetString());
  const auto& removed = want["members_removed"].GetArray();
  REQUIRE(membership->removed.size() == removed.Size());
  for (unsigned i = 0; i < removed.Size(); ++i)
    CHECK(schema::member_key(membership->removed[i]) == removed[i].GetString());
}

void check_buckets(OpenedDb& opened, const Value& want) {
  auto snapshot = opened.backend->snapshot();
  REQUIRE(snapshot);
  for (const auto& bucket : want.GetObject()) {
    const auto found = snapshot->tx().bucket(bucket.name.GetString());
    REQUIRE(found.value());
    std::uint64_t entries = 0;
    auto cursor = (*found)->cursor();
    for (auto pair = cursor.first(); pair.value(); pair = cursor.next()) ++entries;
    CHECK_MESSAGE(entries == bucket.value["entries"].GetUint64(), bucket.name.GetString());
  }
}

void check_store(OpenedDb& opened, const Value& want) {
  CHECK(opened.backend->consistent_index() == want["consistent_index"].GetUint64());
  CHECK(opened.store->current_revision() == want["revision"].GetInt64());
  CHECK(opened.store->compact_revision() == want["compact_revision"].GetInt64());
  const auto count =
      opened.store->range({.key = kEveryKey, .range_end = kEveryKey, .count_only = true});
  CHECK(count->count == want["live_keys"].GetInt64());
  CHECK(opened.store->hash_kv(0).value().hash == want["hashkv_current"].GetUint());
}

}  // namespace

TEST_CASE("every data directory of real etcd gives the values of the manifest") {
  int seen = 0;
  test_support::for_each_directory(test_support::artefacts(), [&](const std::string& artefact,
                                                                  const std::string& dir,
                                                                  const Value& want) {
    INFO(artefact, "/", dir);
    OpenedDb opened(test_support::unpacked(artefact + ".tar.xz") + "/" + dir + "/member/snap/db");
    check_store(opened, want["db"]);
    check_buckets(opened, want["db"]["buckets"]);
    check_membership(opened, want["db"]);
    ++seen;
  });
  CHECK(seen >= 9);
}

TEST_CASE("the single member: hashes, alarms and leases as the real server said") {
  OpenedDb opened(test_support::unpacked("single.tar.xz") + "/s1.etcd/member/snap/db");
  const Value& expect = test_support::manifest("single")["expect"];
  for (const auto& at : expect["hashkv_at"].GetObject())
    CHECK_MESSAGE(
        opened.store->hash_kv(std::stoll(at.name.GetString())).value().hash == at.value.GetUint(),
        at.name.GetString());
  CHECK(opened.backend->hash(HashLevel::k34).value() ==
        expect["hash_whole_db_without_consistent_index"].GetUint());
  auto snapshot = opened.backend->snapshot();
  REQUIRE(snapshot);
  const auto alarms = schema::read_alarms(snapshot->tx());
  REQUIRE(alarms.value().size() == 1);
  CHECK(alarms->at(0) == schema::Alarm{15638434143535919030U, schema::AlarmType::kNoSpace});
  const auto leases = schema::read_leases(snapshot->tx());
  REQUIRE(leases.value().size() == expect["leases"].MemberCount());
  for (const auto& lease : *leases) {
    const std::string id = schema::member_key(static_cast<std::uint64_t>(lease.id));
    REQUIRE(expect["leases"].HasMember(id.c_str()));
    CHECK(expect["leases"][id.c_str()].GetInt64() == lease.ttl);
  }
  CHECK(schema::read_auth_enabled(snapshot->tx()).value());
}

TEST_CASE("HashKV of the fragmented db is what the real server said") {
  OpenedDb opened(test_support::unpacked("fragmented.db.xz"));
  const Value& expect = test_support::manifest("fragmented.db")["expect"];
  const auto hash = opened.store->hash_kv(0);
  REQUIRE(hash);
  CHECK(hash->hash == expect["hashkv"]["hash"].GetUint());
  CHECK(hash->compact_revision == expect["hashkv"]["compact_revision"].GetInt64());
  CHECK(hash->current_revision == expect["hashkv"]["header"]["revision"].GetInt64());
  const auto count =
      opened.store->range({.key = kEveryKey, .range_end = kEveryKey, .count_only = true});
  CHECK(std::to_string(count->count) == expect["count"].GetString());
}

TEST_CASE("hash and content survive a defragmentation of the fragmented db") {
  OpenedDb opened(test_support::unpacked("fragmented.db.xz"));
  const std::uint32_t hash = opened.store->hash_kv(0).value().hash;
  const std::uint32_t whole = opened.backend->hash(HashLevel::k34).value();
  const std::uint64_t size = opened.backend->size_bytes();
  REQUIRE(opened.backend->defragment());
  CHECK(opened.backend->size_bytes() < size / 2);
  CHECK(opened.store->hash_kv(0).value().hash == hash);
  CHECK(opened.backend->hash(HashLevel::k34).value() == whole);
}

TEST_CASE("the leases of the single member and their keys") {
  OpenedDb opened(test_support::unpacked("single.tar.xz") + "/s1.etcd/member/snap/db");
  SystemClock clock;
  lease::Lessor lessor(*opened.backend, clock, {});
  REQUIRE(lessor.restore());
  CHECK(lessor.leases().size() == 2);
  opened.store->set_lease_links(&lessor);
  const auto all = opened.store->range({.key = kEveryKey, .range_end = kEveryKey});
  REQUIRE(all);
  std::size_t attached = 0, listed = 0;
  for (const KeyValue& kv : all->kvs) attached += kv->lease != 0;
  for (const LeaseId id : lessor.leases()) listed += lessor.time_to_live(id, true)->keys.size();
  CHECK(attached > 0);
  CHECK(listed == attached);
}
