#include "fixture.h"
#include "truss/lease/lessor.h"

using namespace truss;
using namespace truss::mvcc;
using Strings = std::vector<std::string>;

namespace {

constexpr LeaseId kLease{77};

/// A store with another one's database beside it, as a snapshot from a leader would lie there.
struct Receiver : Fixture {
  /// Copies `leader`'s database, all committed, to /data/received.
  void receive(Fixture& leader) {
    leader.backend->force_commit();
    const std::string image = read_file(leader.disk, "/data/db").value();
    const auto file = disk.open("/data/received", {.write = true, .create = true}).value();
    REQUIRE(file->pwrite(image, 0));
    REQUIRE(file->sync());
    REQUIRE(disk.sync_dir("/data"));
  }
  void install() {
    bool installed = false;
    store->install("/data/received", [&] { installed = true; });
    REQUIRE(world.run_until([&] { return installed; }));
  }
};

}  // namespace

TEST_CASE("a store goes over to a received database, and on from there") {
  Fixture leader;
  Receiver member;
  member.put("old", "1");
  for (int i = 0; i < 50; ++i) leader.put("k" + std::to_string(i % 7), std::to_string(i));
  leader.backend->set_consistent_index(60, 3);
  leader.del("k3");
  member.receive(leader);
  member.install();
  CHECK(member.backend->consistent_index() == 60);
  CHECK(member.backend->committed_consistent_index() == 60);
  CHECK(member.store->hash_kv(0)->hash == leader.store->hash_kv(0)->hash);
  CHECK(member.pairs({.key = kAll, .range_end = kAll}) ==
        leader.pairs({.key = kAll, .range_end = kAll}));
  CHECK(!exists(member.disk, "/data/received"));
  CHECK(member.put("new", "1") == leader.put("new", "1"));
  member.reopen();
  CHECK(member.store->hash_kv(0)->hash == leader.store->hash_kv(0)->hash);
}

TEST_CASE("what was written before is committed first; readers in flight finish on the old one") {
  Fixture leader;
  Receiver member;
  member.put("old", "1");
  member.backend->force_commit();
  auto view = member.backend->view();
  leader.put("new", "1");
  leader.put("new", "2");
  member.receive(leader);
  bool committed = false;
  member.put("old", "2");
  member.backend->commit([&] { committed = true; });
  member.install();
  CHECK(committed);
  std::vector<KeyValue> kvs;
  const Revision revision{2, 0};
  REQUIRE(view->fetch({&revision, 1}, kvs));
  CHECK(kvs.front()->key == "old");
  CHECK(member.pairs({.key = kAll, .range_end = kAll}) == Strings{"new=2"});
}

TEST_CASE("leases are those of the received database, attached to its keys") {
  Fixture leader;
  lease::Lessor granting(*leader.backend, leader.world.clock(), {});
  REQUIRE(granting.grant(kLease, 100));
  leader.store->set_lease_links(&granting);
  leader.put("a", "1", kLease);
  Receiver member;
  lease::Lessor lessor(*member.backend, member.world.clock(), {});
  REQUIRE(lessor.grant(LeaseId{5}, 100));
  member.store->set_lease_links(&lessor);
  member.receive(leader);
  member.install();
  REQUIRE(lessor.restore());
  member.store->set_lease_links(&lessor);
  CHECK(lessor.leases() == std::vector<LeaseId>{kLease});
  CHECK(lessor.time_to_live(kLease, true)->keys == Strings{"a"});
  CHECK(lessor.lease_of("a") == kLease);
}

TEST_CASE("a watch below the compaction of the received database is cancelled, others replay") {
  Fixture leader;
  Receiver member;
  member.put("a", "1");
  leader.put("a", "1");
  for (int i = 0; i < 9; ++i) leader.put("a", std::to_string(i));
  leader.compact(9);
  auto queue = std::make_shared<WatchQueue>(nullptr);
  auto stream = member.store->watch_stream(queue);
  stream->create({.key = "a"});
  stream->create({.key = "a", .start_revision = 10});
  member.world.run_until_idle();
  while (queue->take()) {
  }
  member.receive(leader);
  member.install();
  member.world.run_until_idle();
  const auto cancelled = queue->take();
  REQUIRE(cancelled);
  CHECK(cancelled->canceled);
  CHECK(cancelled->compact_revision == 9);
  const auto replayed = queue->take();
  REQUIRE(replayed);
  CHECK(replayed->watch_id == 1);
  CHECK(replayed->events.size() == 2);
  CHECK(!queue->take());
}

TEST_CASE("a compaction under way ends with the database it belonged to") {
  Fixture leader({.compaction_batch_limit = 1});
  Receiver member;
  for (int i = 0; i < 30; ++i) {
    leader.put("a", std::to_string(i));
    member.put("a", std::to_string(i));
  }
  bool done = false;
  REQUIRE(member.store->compact(20, [&] { done = true; }));
  REQUIRE(leader.store->compact(25));
  member.receive(leader);  // scheduled there, and far from finished
  member.install();
  REQUIRE(member.world.run_until([&] { return done; }));
  CHECK(member.store->compact_revision() == 25);
  member.world.run_for(std::chrono::minutes(1));
  leader.world.run_for(std::chrono::minutes(1));
  CHECK(member.revisions() == leader.revisions());
  CHECK(member.store->hash_kv(0)->hash == leader.store->hash_kv(0)->hash);
}

TEST_CASE("a commit of exactly the present state waits for room, and says so") {
  Fixture f({}, 3);
  std::uint64_t index = 0;
  const auto write = [&] {
    f.backend->set_consistent_index(++index, 1);
    f.put("k", std::to_string(index));
  };
  write();
  CHECK(f.backend->commit_exactly([] {}));
  write();
  CHECK(f.backend->commit_exactly([] {}));
  write();
  CHECK(!f.backend->commit_exactly([] {}));
  f.backend->force_commit();
  std::uint64_t seen = 0;
  CHECK(f.backend->commit_exactly([&] { seen = f.backend->committed_consistent_index(); }));
  write();
  REQUIRE(f.world.run_until([&] { return seen > 0; }));
  CHECK(seen == 3);
}
