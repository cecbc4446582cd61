#include "fixture.h"

using namespace truss;
using namespace truss::mvcc;
using Strings = std::vector<std::string>;

TEST_CASE("revisions: an empty store is at 1, the first write makes 2") {
  Fixture f;
  CHECK(f.store->current_revision() == 1);
  CHECK(f.store->compact_revision() == -1);
  CHECK(f.put("a", "1") == 2);
  CHECK(f.del("nothing") == 0);
  CHECK(f.store->current_revision() == 2);
  CHECK(f.put("a", "1") == 3);
}

TEST_CASE("a key's create revision and version restart after a deletion") {
  Fixture f;
  f.put("k", "1");
  f.put("k", "2", LeaseId{0});
  KeyValue kv = f.get({.key = "k"}).kvs.at(0);
  CHECK(kv->create_revision == 2);
  CHECK(kv->mod_revision == 3);
  CHECK(kv->version == 2);
  f.del("k");
  CHECK(f.get({.key = "k"}).kvs.empty());
  f.put("k", "3");
  kv = f.get({.key = "k"}).kvs.at(0);
  CHECK(kv->create_revision == 5);
  CHECK(kv->version == 1);
  f.reopen();
  f.put("k", "4");
  kv = f.get({.key = "k"}).kvs.at(0);
  CHECK(kv->create_revision == 5);
  CHECK(kv->version == 2);
}

TEST_CASE("a write transaction shares one revision and sees its own writes") {
  Fixture f;
  f.put("a", "1");
  {
    WriteTxn txn = f.store->write();
    txn.put("b", "2", kNoLease);
    txn.put("c", "3", kNoLease);
    CHECK(txn.range({.key = "a", .range_end = kAll})->kvs.size() == 3);
    CHECK(txn.range({.key = "b"})->revision == 3);
    // Nobody else sees them before the end.
    CHECK(f.get({.key = "a", .range_end = kAll}).count == 1);
    CHECK(f.store->current_revision() == 2);
    CHECK(txn.delete_range("a", "c") == 2);
    txn.end();
  }
  CHECK(f.store->current_revision() == 3);
  CHECK(f.pairs({.key = "a", .range_end = kAll}) == Strings{"c=3"});
  CHECK(f.revisions() == Strings{"2/0", "3/0", "3/1", "3/2 t", "3/3 t"});
}

TEST_CASE("deleted keys are not counted, before and after a restart") {
  Fixture f;
  for (const char* key : {"a", "b", "c"}) f.put(key, "1");
  f.put("a", "2");
  {
    WriteTxn txn = f.store->write();
    txn.delete_range("b", "");
    txn.put("b", "2", kNoLease);
    txn.delete_range("c", "");
  }
  CHECK(f.store->live_keys() == 2);
  CHECK(f.store->index_size() == 3);
  f.reopen();
  CHECK(f.store->live_keys() == 2);
}

TEST_CASE("everything is there after a clean stop") {
  Fixture f;
  for (int i = 0; i < 300; ++i) f.put("key" + std::to_string(i % 100), std::to_string(i));
  f.del("key5");
  const auto before = f.pairs({.key = "key", .range_end = kAll});
  const auto past = f.pairs({.key = "key", .range_end = kAll, .revision = 150});
  f.reopen();
  CHECK(f.store->current_revision() == 302);
  CHECK(f.pairs({.key = "key", .range_end = kAll}) == before);
  CHECK(f.pairs({.key = "key", .range_end = kAll, .revision = 150}) == past);
}

TEST_CASE("a read transaction stays at its revision through writes and compaction") {
  Fixture f;
  f.put("k", "1");
  f.put("k", "2");
  auto reader = std::make_unique<ReadTxn>(f.store->read());
  f.put("k", "3");
  bool done = false;
  REQUIRE(f.store->compact(4, [&done] { done = true; }));
  f.world.run_for(std::chrono::seconds(1));
  CHECK_FALSE(done);  // the reader still needs the index
  auto seen = reader->range({.key = "k"});
  REQUIRE(seen);
  CHECK(seen->kvs.at(0)->value == "2");
  CHECK(seen->revision == 3);
  reader.reset();
  CHECK(f.world.run_until([&] { return done; }));
}

TEST_CASE("values stay valid after the view that gave them is gone") {
  Fixture f;
  f.put("k", std::string(100'000, 'x'));
  f.backend->force_commit();
  const RangeResult held = f.get({.key = "k"});
  for (int i = 0; i < 200; ++i) f.put("k", std::to_string(i));
  f.compact(150);
  f.backend->force_commit();
  CHECK(held.kvs[0]->value == std::string(100'000, 'x'));
}
