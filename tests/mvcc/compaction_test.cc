#include "fixture.h"
#include "truss/schema/meta.h"

using namespace truss;
using namespace truss::mvcc;

namespace {

schema::Meta meta_of(Backend& backend) {
  auto snapshot = backend.snapshot();
  REQUIRE(snapshot);
  auto meta = schema::read_meta(snapshot->tx());
  REQUIRE(meta);
  return *std::move(meta);
}

}  // namespace

TEST_CASE("compaction refuses the past and the future with etcd's errors") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.put("k", std::to_string(i));
  bool done = false;
  CHECK(errors::is(f.store->compact(7, [&] { done = true; }).error(), errors::future_revision()));
  CHECK(f.world.run_until([&] { return done; }));
  f.compact(4);
  CHECK(errors::is(f.store->compact(4).error(), errors::compacted()));
  CHECK(errors::is(f.store->compact(3).error(), errors::compacted()));
}

TEST_CASE("revision 0 of a store never compacted is accepted once") {
  Fixture f;
  CHECK(f.store->compact(0));
  CHECK(f.store->compact_revision() == 0);
  CHECK_FALSE(f.store->compact(0));
}

TEST_CASE("the schedule is committed first, the deletion runs in slices with pauses") {
  Fixture f({.compaction_batch_limit = 10});
  for (int i = 0; i < 100; ++i) f.put("k", std::to_string(i));
  f.backend->force_commit();
  const MonoTime start = f.world.clock().now();
  f.compact(101);
  CHECK(f.world.clock().now() - start >= std::chrono::milliseconds(90));
  CHECK(f.revisions() == std::vector<std::string>{"101/0"});
  const auto meta = meta_of(*f.backend);
  CHECK(meta.scheduled_compact == 101);
  CHECK(meta.finished_compact == 101);
  CHECK(f.store->index_size() == 1);
  const StoreMetrics& m = f.store->metrics();
  CHECK(m.compacted_records == 99);
  CHECK(m.compactions.sample().counts[0] == 1);  // 90 ms of pauses are below 100 ms
  CHECK(m.slices.sample().counts[0] == 9);       // the last one is no pause
  CHECK(m.last_compaction_seconds > 0);
}

TEST_CASE("an unfinished compaction goes on after a restart") {
  Fixture f({.compaction_batch_limit = 5});
  for (int i = 0; i < 100; ++i) f.put("k" + std::to_string(i % 3), std::to_string(i));
  f.backend->force_commit();
  REQUIRE(f.store->compact(90));
  f.world.run_for(std::chrono::milliseconds(35));
  const std::size_t left = f.revisions().size();
  CHECK(left < 100);
  CHECK(left > 20);
  f.reopen();
  CHECK(f.store->compact_revision() == 90);
  CHECK(errors::is(f.store->range({.key = "k0", .revision = 89}).error(), errors::compacted()));
  f.world.run_for(std::chrono::seconds(10));
  CHECK(f.revisions().size() == 14);  // 91..101 and what lives at 90
  CHECK(meta_of(*f.backend).finished_compact == 90);
}

TEST_CASE("a store of which all was deleted keeps its revision") {
  Fixture f;
  f.put("k", "v");
  f.del("k");
  f.compact(3);
  CHECK(f.revisions().empty());
  f.reopen();
  CHECK(f.store->current_revision() == 3);
  CHECK(f.store->compact_revision() == 3);
  CHECK(f.put("k", "w") == 4);
  CHECK(f.get({.key = "k"}).kvs[0]->version == 1);
}

TEST_CASE("compactions asked for together run one after the other") {
  Fixture f;
  for (int i = 0; i < 50; ++i) f.put("k", std::to_string(i));
  std::vector<int> order;
  for (int i = 1; i <= 3; ++i) REQUIRE(f.store->compact(i * 10, [&, i] { order.push_back(i); }));
  f.world.run_for(std::chrono::seconds(5));
  CHECK(order == std::vector<int>{1, 2, 3});
  CHECK(f.revisions().size() == 22);
}

TEST_CASE("a record without a key, left by a restore with bumped revision, is tolerated") {
  Fixture f;
  f.put("k", "v");
  f.backend->put_revision({1000, 0}, false, SharedBytes());
  f.backend->put(schema::BucketId::kMeta, schema::kScheduledCompactKey,
                 RevisionKey({1000, 0}).view());
  f.reopen();
  CHECK(f.store->current_revision() == 1000);
  CHECK(f.store->compact_revision() == 1000);
  f.world.run_for(std::chrono::seconds(5));
  CHECK(f.revisions() == std::vector<std::string>{"2/0"});
}
