#include "fixture.h"
#include "truss/schema/membership.h"

using namespace truss;
using namespace truss::mvcc;
using schema::BucketId;

namespace {

/// A gate that opens by hand.
class HandGate final : public WalGate {
 public:
  void when_synced(std::uint64_t index, Task done) override {
    asked.push_back(index);
    waiting.push_back(std::move(done));
  }
  void open() {
    for (Task& task : std::exchange(waiting, {})) task();
  }
  std::vector<std::uint64_t> asked;
  std::vector<Task> waiting;
};

void put_at(Fixture& f, std::uint64_t index, ByteView key, ByteView value) {
  const Backend::Hold hold(*f.backend);
  f.put(key, value);
  f.backend->set_consistent_index(index, 3);
}

std::uint64_t index_in_file(Fixture& f) {
  auto snapshot = f.backend->snapshot();
  REQUIRE(snapshot);
  return schema::read_meta(snapshot->tx()).value().consistent_index;
}

std::uint64_t commits(Fixture& f) { return f.backend->stats().commits; }

}  // namespace

TEST_CASE("a batch is committed after 100 ms, with its consistent index") {
  Fixture f;
  put_at(f, 7, "a", "1");
  f.world.run_for(std::chrono::milliseconds(99));
  CHECK(index_in_file(f) == 0);
  f.world.run_for(std::chrono::milliseconds(2));
  CHECK(index_in_file(f) == 7);
  CHECK(f.backend->committed_consistent_index() == 7);
  const std::uint64_t before = commits(f);
  f.backend->set_consistent_index(8, 3);  // alone it makes nothing dirty
  f.world.run_for(std::chrono::seconds(1));
  CHECK(commits(f) == before);
  f.backend->force_commit();
  CHECK(index_in_file(f) == 8);
}

TEST_CASE("a batch is committed at 10 000 operations") {
  Fixture f;
  for (int i = 0; i < 9'999; ++i) f.backend->put(BucketId::kCluster, "k" + std::to_string(i), "v");
  f.world.run_until_idle();
  const std::uint64_t before = commits(f);
  f.backend->put(BucketId::kCluster, "last", "v");
  f.world.run_until_idle();
  CHECK(commits(f) == before + 1);
}

TEST_CASE("a hold keeps all of an apply in one transaction") {
  Fixture f;
  {
    const Backend::Hold outer(*f.backend);
    f.put("a", "1");
    f.world.run_for(std::chrono::seconds(1));
    CHECK(f.backend->stats().pages_written > 0);
    {
      const Backend::Hold inner(*f.backend);
      f.put("b", "2");
    }
    f.backend->set_consistent_index(5, 1);
    f.world.run_for(std::chrono::seconds(1));
    CHECK(index_in_file(f) == 0);
  }
  f.world.run_until_idle();
  CHECK(index_in_file(f) == 5);
}

TEST_CASE("no commit passes before its gate; two wait, then there is no room") {
  Fixture f;
  HandGate gate;
  f.backend->set_wal_gate(&gate);
  put_at(f, 1, "a", "1");
  f.world.run_for(std::chrono::milliseconds(200));
  CHECK(gate.asked == std::vector<std::uint64_t>{1});
  CHECK(index_in_file(f) == 0);
  put_at(f, 2, "b", "1");
  f.world.run_for(std::chrono::milliseconds(200));
  CHECK(gate.asked.size() == 1);
  CHECK(f.backend->has_room());
  for (int i = 0; i < 10'000; ++i) f.backend->put(BucketId::kCluster, std::to_string(i), "v");
  CHECK_FALSE(f.backend->has_room());
  bool room = false;
  f.backend->when_room([&] { room = true; });
  f.world.run_until_idle();
  CHECK_FALSE(room);
  gate.open();
  f.world.run_until_idle();
  CHECK(room);
  CHECK(index_in_file(f) == 1);
  while (!gate.waiting.empty()) {
    gate.open();
    f.world.run_until_idle();
  }
  CHECK(index_in_file(f) == 2);
  f.backend->set_wal_gate(nullptr);
}

TEST_CASE("readers see the open batch, closed batches and the file as one") {
  Fixture f;
  f.backend->put(BucketId::kAlarm, "in-file", "1");
  f.backend->put(BucketId::kAlarm, "gone", "1");
  f.backend->force_commit();
  HandGate gate;
  f.backend->set_wal_gate(&gate);
  f.backend->set_consistent_index(9, 1);
  f.backend->put(BucketId::kAlarm, "closed", "2");
  f.world.run_for(std::chrono::milliseconds(200));
  f.backend->put(BucketId::kAlarm, "open", "3");
  f.backend->remove(BucketId::kAlarm, "gone");
  CHECK(f.backend->get(BucketId::kAlarm, "in-file").value() == "1");
  CHECK(f.backend->get(BucketId::kAlarm, "closed").value() == "2");
  CHECK(f.backend->get(BucketId::kAlarm, "open").value() == "3");
  CHECK_FALSE(f.backend->get(BucketId::kAlarm, "gone").value());
  std::string seen;
  REQUIRE(f.backend->for_each(BucketId::kAlarm, [&](ByteView key, ByteView) -> Result<> {
    seen += std::string(key) + " ";
    return {};
  }));
  CHECK(seen == "closed in-file open ");
  f.backend->set_wal_gate(nullptr);
  gate.open();
}

TEST_CASE("commit answers when all before it is in the file, also when nothing is to do") {
  Fixture f;
  int done = 0;
  f.backend->commit([&] { ++done; });
  f.world.run_until_idle();
  CHECK(done == 1);
  f.put("a", "1");
  f.backend->commit([&] { ++done; });
  f.put("b", "1");
  f.backend->commit([&] { ++done; });
  f.world.run_until_idle();
  CHECK(done == 3);
  std::vector<std::uint64_t> heard;
  f.backend->set_commit_listener([&](std::uint64_t index) { heard.push_back(index); });
  put_at(f, 4, "c", "1");
  f.backend->force_commit();
  CHECK(heard == std::vector<std::uint64_t>{4});
}

TEST_CASE("the term is stored only where the level asks for it") {
  Fixture f;
  put_at(f, 4, "c", "1");
  f.backend->force_commit();
  auto snapshot = f.backend->snapshot();
  CHECK(schema::read_meta(snapshot->tx()).value().term == 0);
  CHECK(f.backend->term() == 3);
}

TEST_CASE("a snapshot is a db of its own") {
  Fixture f;
  for (int i = 0; i < 500; ++i) f.put("k" + std::to_string(i), std::string(100, 'v'));
  f.backend->force_commit();
  auto snapshot = f.backend->snapshot();
  REQUIRE(snapshot);
  f.put("later", "1");
  f.backend->force_commit();
  REQUIRE(f.disk.make_dir("/copy"));
  {
    auto file = f.disk.open("/copy/db", {.write = true, .create = true});
    REQUIRE(file);
    std::uint64_t at = 0;
    REQUIRE(snapshot->write_to([&](ByteView piece) -> Result<> {
      auto wrote = (*file)->pwrite(piece, at);
      at += piece.size();
      return wrote;
    }));
    CHECK(at == snapshot->size_bytes());
  }
  auto copy = Backend::open(f.disk, *f.backend_executor, f.world.clock(), f.world.process(),
                            f.logger, {.path = "/copy/db"});
  REQUIRE(copy);
  auto store = Store::open(**copy, *f.background, f.world.clock(), f.logger, {});
  REQUIRE(store);
  CHECK((*store)->current_revision() == 501);
}

TEST_CASE("a defragmentation leaves readers, writers and content alone") {
  Fixture f;
  for (int i = 0; i < 2000; ++i) f.put("k" + std::to_string(i % 50), std::string(1000, 'v'));
  f.compact(2001);
  f.put("k1", "after");
  const std::uint64_t size = f.backend->size_bytes();
  const std::uint32_t hash = f.store->hash_kv(0).value().hash;
  auto view = f.backend->view();
  REQUIRE(view);
  f.put("open", "batch");
  REQUIRE(f.backend->defragment());
  CHECK(f.backend->metrics().defragmentations.sample().counts[0] == 1);
  CHECK_FALSE(f.backend->metrics().defragmenting);
  CHECK(f.backend->metrics().commit_phases.write.sample().counts[0] > 0);
  CHECK(f.backend->size_bytes() < size / 4);
  std::vector<KeyValue> kvs;
  const Revision old{2001, 0};
  REQUIRE(view->fetch({&old, 1}, kvs));
  CHECK(f.store->hash_kv(2002).value().hash == hash);
  f.put("more", "1");
  f.reopen();
  CHECK(f.get({.key = "open"}).count == 1);
  CHECK(f.get({.key = "more"}).count == 1);
  CHECK(f.store->hash_kv(2002).value().hash == hash);
  std::uint64_t faults = 0;
  auto names = f.disk.list("/data");
  CHECK(names.value() == std::vector<std::string>{"db"});
  CHECK(faults == 0);
}

TEST_CASE("leftovers of an interrupted defragmentation are removed at open") {
  Fixture f;
  f.shut();
  REQUIRE(f.disk.open("/data/db.tmp.12", {.write = true, .create = true}));
  f.open();
  CHECK(f.disk.list("/data").value() == std::vector<std::string>{"db"});
}

TEST_CASE("the hash of the whole db leaves out what each level does") {
  Fixture f;
  put_at(f, 4, "c", "1");
  f.backend->force_commit();
  const std::uint32_t hash = f.backend->hash(HashLevel::k34).value();
  f.backend->set_consistent_index(99, 3);
  f.backend->force_commit();
  CHECK(f.backend->hash(HashLevel::k34).value() == hash);
  f.backend->put(BucketId::kMeta, schema::kTermKey, "12345678");
  f.backend->force_commit();
  CHECK(f.backend->hash(HashLevel::k34).value() != hash);
  CHECK(f.backend->hash(HashLevel::k35).value() == hash);
  f.backend->put(BucketId::kMeta, schema::kStorageVersionKey, "3.6.0");
  f.backend->force_commit();
  CHECK(f.backend->hash(HashLevel::k35).value() != hash);
  CHECK(f.backend->hash(HashLevel::k36).value() == hash);
}

TEST_CASE("a failed commit ends the process") {
  testing::SimRuntime world(3);
  testing::SimFileSystem disk;
  testing::SimMember member(world, "m");
  NullLogger logger;
  REQUIRE(disk.make_dir("/data"));
  auto executor = member.make_executor("backend");
  auto backend = Backend::open(disk, *executor, member.clock(), member.process(), logger,
                               {.path = "/data/db"});
  REQUIRE(backend);
  disk.inject([](const testing::SimOp& op) -> std::optional<testing::SimFault> {
    if (op.kind != testing::OpKind::kSyncData) return std::nullopt;
    return testing::SimFault::error(5);
  });
  (*backend)->put(BucketId::kCluster, "k", "v");
  world.run_for(std::chrono::seconds(1));
  CHECK_FALSE(member.alive());
}
