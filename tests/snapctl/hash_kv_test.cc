#include "truss/snaptool/hash_kv.h"

#include <doctest/doctest.h>

#include "small_db.h"
#include "truss/snaptool/db_file.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::snaptool;

namespace {

PosixFileSystem disk;

/// HashKV at `revision` of the known history, compacted at `compacted` (nothing removed yet).
Result<HashKv> hash_at(std::int64_t revision, std::optional<std::int64_t> compacted = {}) {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", snaptool_test::known_history(), compacted);
  DbFile file = DbFile::open(disk, dir / "db").value();
  return hash_kv(file.tx(), revision);
}

}  // namespace

TEST_CASE("HashKV of a history is what real etcd 3.4.23 answered for the same one") {
  CHECK(hash_at(3)->hash == 4247421229);
  CHECK(hash_at(8)->hash == 1118389985);
  CHECK(hash_at(9)->hash == 2597784024);
  CHECK(hash_at(10)->hash == 2526245970);
  CHECK(hash_at(11)->hash == 4282269789);
  CHECK(hash_at(12)->hash == 2091899867);
  CHECK(hash_at(0)->hash == 2091899867);
  CHECK(hash_at(0)->hash_revision == 12);
}

TEST_CASE("after a compaction it doesn't matter whether the dropped records are still there") {
  CHECK(hash_at(10, 9)->hash == 2999828897);
  CHECK(hash_at(12, 9)->hash == 3823154579);
  CHECK(hash_at(12, 11)->hash == 2001325720);
  CHECK(hash_at(9, 9)->hash == 3101901955);
  CHECK(hash_at(11, 11)->hash == 349759739);
}

TEST_CASE("the hash of an empty store") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", {});
  DbFile file = DbFile::open(disk, dir / "db").value();
  CHECK(hash_kv(file.tx(), 0)->hash == 1084519789);
  CHECK(hash_kv(file.tx(), 0)->current_revision == 1);
}

TEST_CASE("revisions out of reach are refused in etcd's words") {
  CHECK(hash_at(13).error().message == "required revision is a future revision: 13 > 12");
  CHECK(hash_at(8, 9).error().message == "required revision has been compacted: 8 < 9");
}
