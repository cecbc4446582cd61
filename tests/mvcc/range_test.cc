#include "fixture.h"

using namespace truss;
using namespace truss::mvcc;
using Strings = std::vector<std::string>;

namespace {

/// k1..k5 with values e d c b a; k2 written twice more (version 3).
struct Five : Fixture {
  Five() {
    put("k1", "e");
    put("k2", "d");
    put("k3", "c");
    put("k4", "b");
    put("k5", "a");
    put("k2", "d");
    put("k2", "d");
  }
};

}  // namespace

TEST_CASE("range ends: one key, half-open, open") {
  Five f;
  CHECK(f.pairs({.key = "k3"}) == Strings{"k3=c"});
  CHECK(f.pairs({.key = "k2", .range_end = "k4"}) == Strings{"k2=d", "k3=c"});
  CHECK(f.pairs({.key = "k4", .range_end = kAll}) == Strings{"k4=b", "k5=a"});
  CHECK(f.get({.key = kAll, .range_end = kAll}).count == 5);
  CHECK(f.pairs({.key = "k3", .range_end = "k3"}).empty());
  CHECK(f.pairs({.key = "k3", .range_end = "k1"}).empty());
}

TEST_CASE("revisions: latest, past, future, compacted") {
  Five f;
  CHECK(f.pairs({.key = "k4", .revision = -5}) == Strings{"k4=b"});
  CHECK(f.pairs({.key = "k4", .revision = 4}).empty());
  CHECK(f.get({.key = "k2", .revision = 3}).kvs[0]->version == 1);
  CHECK(f.get({.key = "k2", .revision = 3}).revision == 8);
  auto future = f.store->range({.key = "k1", .revision = 9});
  CHECK(future.error().code == Code::kOutOfRange);
  CHECK(future.error().message == "etcdserver: mvcc: required revision is a future revision");
  f.compact(5);
  CHECK(f.store->range({.key = "k1", .revision = 5}));
  CHECK(f.store->range({.key = "k1", .revision = 4}).error().message ==
        "etcdserver: mvcc: required revision has been compacted");
}

TEST_CASE("limit, count and more") {
  Five f;
  RangeResult r = f.get({.key = "k", .range_end = kAll, .limit = 2});
  CHECK(r.kvs.size() == 2);
  CHECK(r.count == 5);
  CHECK(r.more);
  r = f.get({.key = "k", .range_end = kAll, .limit = 5});
  CHECK_FALSE(r.more);
  r = f.get({.key = "k", .range_end = kAll, .limit = 2, .count_only = true});
  CHECK(r.kvs.empty());
  CHECK(r.count == 5);
  CHECK_FALSE(r.more);
}

TEST_CASE("keys_only strips the value and nothing else") {
  Five f;
  const RangeResult r = f.get({.key = "k2", .keys_only = true});
  CHECK(r.kvs[0]->value.empty());
  CHECK(r.kvs[0]->version == 3);
  CHECK(schema::decode_key_value(r.kvs[0].record).value() == r.kvs[0].kv);
}

TEST_CASE("filters come before sort and limit and leave count alone") {
  Five f;
  RangeResult r = f.get({.key = "k", .range_end = kAll, .min_mod_revision = 5});
  CHECK(r.count == 5);
  CHECK(r.kvs.size() == 3);
  r = f.get({.key = "k", .range_end = kAll, .limit = 1, .max_create_revision = 3});
  CHECK(r.kvs.size() == 1);
  CHECK(r.more);
  CHECK(f.pairs({.key = "k", .range_end = kAll, .max_mod_revision = 4, .min_create_revision = 4}) ==
        Strings{"k3=c"});
}

TEST_CASE("sort orders and targets") {
  Five f;
  CHECK(f.pairs({.key = "k", .range_end = kAll, .limit = 2, .sort_order = SortOrder::kDescend}) ==
        Strings{"k5=a", "k4=b"});
  CHECK(f.pairs({.key = "k",
                 .range_end = kAll,
                 .limit = 2,
                 .sort_order = SortOrder::kAscend,
                 .sort_target = SortTarget::kValue}) == Strings{"k5=a", "k4=b"});
  CHECK(f.pairs({.key = "k",
                 .range_end = kAll,
                 .limit = 1,
                 .sort_order = SortOrder::kDescend,
                 .sort_target = SortTarget::kVersion}) == Strings{"k2=d"});
  CHECK(f.pairs({.key = "k",
                 .range_end = kAll,
                 .sort_order = SortOrder::kDescend,
                 .sort_target = SortTarget::kMod})
            .front() == "k2=d");
  CHECK(f.pairs({.key = "k",
                 .range_end = kAll,
                 .sort_order = SortOrder::kDescend,
                 .sort_target = SortTarget::kCreate})
            .front() == "k5=a");
}

TEST_CASE("without an order the limit cuts before another target sorts, as in etcd") {
  Five f;
  const RangeResult r =
      f.get({.key = "k", .range_end = kAll, .limit = 2, .sort_target = SortTarget::kValue});
  REQUIRE(r.kvs.size() == 2);
  CHECK(r.kvs[0]->key == "k3");
  CHECK(r.kvs[1]->key == "k2");
  CHECK(r.more);
}

TEST_CASE("unknown sort numbers are accepted and sort nothing") {
  Five f;
  CHECK(f.pairs({.key = "k",
                 .range_end = "k3",
                 .sort_order = static_cast<SortOrder>(7),
                 .sort_target = static_cast<SortTarget>(9)}) == Strings{"k1=e", "k2=d"});
}

TEST_CASE("one answer may come from file and memory") {
  Five f;
  f.backend->force_commit();
  f.put("k3", "new");
  CHECK(f.pairs({.key = "k2", .range_end = "k5"}) == Strings{"k2=d", "k3=new", "k4=b"});
}
