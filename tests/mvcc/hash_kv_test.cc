#include "fixture.h"

using namespace truss;
using namespace truss::mvcc;
using Strings = std::vector<std::string>;

namespace {

/// The history of the test vectors taken from real etcd 3.4.23.
void write_history(Fixture& f) {
  for (const char* key : {"k0", "k1", "k2", "k3", "k4"}) f.put(key, "a");
  f.put("k0", "b");
  f.put("k0", "c");
  f.del("k1");
  f.put("k1", "again");
  CHECK(f.del("k2", "k4") == 2);
  CHECK(f.put("k9", "z") == 12);
}

struct Vector {
  std::int64_t revision;
  std::uint32_t hash;
};

void check_hashes(Fixture& f, std::initializer_list<Vector> vectors) {
  for (const Vector& v : vectors) {
    const auto hash = f.store->hash_kv(v.revision);
    REQUIRE(hash);
    CHECK_MESSAGE(hash->hash == v.hash, v.revision);
    CHECK(hash->hash_revision == v.revision);
  }
}

void check_all(Fixture& f, bool newer_rule) {
  CHECK(f.store->hash_kv(0)->hash == 1084519789);
  write_history(f);
  const auto before = {Vector{3, 4247421229},  {8, 1118389985},  {9, 2597784024},
                       Vector{10, 2526245970}, {11, 4282269789}, {12, 2091899867}};
  check_hashes(f, before);
  f.backend->force_commit();
  check_hashes(f, before);
  f.compact(9);
  check_hashes(f, {{10, 2999828897}, {12, 3823154579}});
  f.compact(11);
  check_hashes(f, {{12, 2001325720}});
  CHECK(f.store->hash_kv(0)->hash == 2001325720);
  CHECK(f.store->hash_kv(0)->compact_revision == 11);
  CHECK(errors::is(f.store->hash_kv(13).error(), errors::future_revision()));
  CHECK(errors::is(f.store->hash_kv(10).error(), errors::compacted()));
  const auto at = f.store->hash_kv(11);
  if (newer_rule)
    CHECK(at.value().hash == 349759739);
  else
    CHECK(errors::is(at.error(), errors::compacted()));
  f.reopen();
  check_hashes(f, {{12, 2001325720}});
}

}  // namespace

TEST_CASE("HashKV: the vectors of real etcd, rules of 3.4.23") {
  Fixture f;
  check_all(f, false);
}

TEST_CASE("HashKV: the same with the rules of newer releases") {
  Fixture f({.keep_tombstone_at_compact = true, .hash_at_compact = true});
  check_all(f, true);
}

TEST_CASE("HashKV at the compacted revision, newer rule") {
  for (const bool keep : {false, true}) {
    Fixture f({.keep_tombstone_at_compact = keep, .hash_at_compact = true});
    write_history(f);
    f.compact(9);
    CHECK(f.store->hash_kv(9).value().hash == 3101901955);
  }
}

TEST_CASE("HashKV counts a compaction from when it was asked for") {
  Fixture f;
  write_history(f);
  REQUIRE(f.store->compact(9));
  check_hashes(f, {{10, 2999828897}, {12, 3823154579}});
  f.world.run_for(std::chrono::seconds(5));
  check_hashes(f, {{10, 2999828897}, {12, 3823154579}});
}

TEST_CASE("records left after compactions, as in real 3.4.23") {
  Fixture f;
  write_history(f);
  f.compact(9);
  CHECK(f.revisions() == Strings{"4/0", "5/0", "6/0", "8/0", "10/0", "11/0 t", "11/1 t", "12/0"});
  f.compact(11);
  CHECK(f.revisions() == Strings{"6/0", "8/0", "10/0", "12/0"});
}

TEST_CASE("newer releases keep a tombstone at the compacted revision until the next compaction") {
  Fixture f({.keep_tombstone_at_compact = true, .hash_at_compact = true});
  write_history(f);
  f.compact(11);
  CHECK(f.revisions() == Strings{"6/0", "8/0", "10/0", "11/0 t", "11/1 t", "12/0"});
  f.reopen();
  CHECK(f.pairs({.key = "k", .range_end = kAll}) == Strings{"k0=c", "k1=again", "k4=a", "k9=z"});
  f.compact(12);
  CHECK(f.revisions() == Strings{"6/0", "8/0", "10/0", "12/0"});
}
