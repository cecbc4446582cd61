#include <doctest/doctest.h>

#include <vector>

#include "small_db.h"
#include "truss/snaptool/hash_kv.h"
#include "truss/snaptool/status.h"
#include "truss/snaptool/verify.h"
#include "truss/test_support/artefacts.h"

using namespace truss;
using namespace truss::snaptool;
using rapidjson::Value;

namespace {

PosixFileSystem disk;

std::uint64_t entries_of(const Value& db) {
  std::uint64_t sum = 0;
  for (const auto& bucket : db["buckets"].GetObject()) sum += bucket.value["entries"].GetUint64();
  return sum;
}

/// The file has the values of the manifest, and reading them changes none of its bytes.
void check_db(const std::string& path, const Value& db, bool hashed) {
  CAPTURE(path);
  const std::string file = db_path_of(disk, path).value();
  const std::string before = snaptool_test::contents(file);
  const Status status = read_status(disk, path, {.check_hash = true}).value();
  const Status shared = read_status(disk, path, {.threads = 3}).value();
  CHECK(shared.hash == status.hash);
  CHECK(shared.live_keys == status.live_keys);
  CHECK(shared.total_keys == status.total_keys);
  CHECK(shared.revision == status.revision);
  CHECK(status.revision == db["revision"].GetInt64());
  CHECK(status.total_keys == entries_of(db));
  CHECK(status.live_keys == db["live_keys"].GetUint64());
  CHECK(status.total_bytes == db["high_water_pgid"].GetUint64() * db["page_size"].GetUint64());
  CHECK(status.hashed == hashed);

  DbFile open = DbFile::open(disk, path).value();
  const HashKv hash = hash_kv(open.tx(), 0).value();
  CHECK(hash.hash == db["hashkv_current"].GetUint());
  CHECK(hash.compact_revision == db["compact_revision"].GetInt64());
  CHECK(hash.current_revision == db["revision"].GetInt64());

  std::vector<std::string> faults;
  const Inventory found =
      verify(disk, path, !hashed, [&](std::string_view place, const std::string& what) {
        faults.push_back(std::string(place) + ": " + what);
      }).value();
  CHECK(faults == std::vector<std::string>{});
  CHECK(found.tombstones == db["tombstones"].GetUint64());
  CHECK(found.live_keys == db["live_keys"].GetUint64());
  CHECK(found.members == db["members"].Size());
  CHECK(found.leases == db["buckets"]["lease"]["entries"].GetUint64());
  CHECK(found.records == db["buckets"]["key"]["entries"].GetUint64());
  CHECK(snaptool_test::contents(file) == before);
}

}  // namespace

TEST_CASE("every db of real etcd gives the values of the manifest, and stays as it is") {
  int files = 0;
  test_support::for_each_directory(
      test_support::artefacts(),
      [&](const std::string& artefact, const std::string& dir, const Value& expected) {
        check_db(test_support::unpacked(artefact + ".tar.xz") + "/" + dir, expected["db"], false);
        ++files;
      });
  check_db(test_support::artefact_dir() + "/snapshot.db",
           test_support::manifest("snapshot.db")["db"], true);
  check_db(test_support::artefact_dir() + "/freelist-synced.db",
           test_support::manifest("freelist-synced.db")["db"], false);
  check_db(test_support::unpacked("fragmented.db.xz"),
           test_support::manifest("fragmented.db")["db"], false);
  CHECK(files >= 10);
}

TEST_CASE("status gives what etcdctl 3.4.23 printed of the same file") {
  const Value& expected = test_support::manifest("snapshot.db")["expect"]["etcdctl_status"];
  const Status status = read_status(disk, test_support::artefact_dir() + "/snapshot.db").value();
  CHECK(status.hash == expected["hash"].GetUint());
  CHECK(status.revision == expected["revision"].GetInt64());
  CHECK(status.total_keys == expected["totalKey"].GetUint64());
  CHECK(status.total_bytes == expected["totalSize"].GetUint64());
}

TEST_CASE("a bolt file that is not etcd's has a status, but doesn't pass as a backup") {
  const std::string path = test_support::unpacked("freelist-overflow-1k.db.xz");
  CHECK(read_status(disk, path)->total_keys == 3);
  std::vector<std::string> faults;
  CHECK(verify(disk, path, true, [&](std::string_view place, const std::string& what) {
          faults.push_back(std::string(place) + ": " + what);
        })->faults == 2);
  CHECK(faults.front() == "key: there is no such bucket: not a db of etcd");
}
