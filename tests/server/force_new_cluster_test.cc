#include <doctest/doctest.h>

#include "data_dir.h"
#include "peer_cluster.h"
#include "truss/wal/maintenance.h"

/// --force-new-cluster, and directories whose commit index lags behind what the db has applied.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

const std::string kWal = "/data/member/wal";

/// What is on disk: the commit index of the log, and what the db has applied.
struct Marks {
  std::uint64_t commit = 0;
  std::uint64_t applied = 0;
};

Marks marks_of(SimFileSystem& disk) {
  const auto copy = disk.clone();
  const auto log = wal::read_log(*copy, kWal, {});
  REQUIRE_MESSAGE(log, log.error().message);
  const auto db = read_db_facts(*copy, "/data/member/snap/db");
  REQUIRE_MESSAGE(db, db.error().message);
  return {log->hard_state.commit.value(), db->meta.consistent_index};
}

std::string key(int i) { return "kept" + std::to_string(i); }

/// Three members that hold `puts` keys lose their power. The db of one has them all; the record
/// that says that they are committed never reached its log, as in etcd, which doesn't sync it.
struct Lagging {
  static constexpr int kPuts = 20;
  PeerCluster cluster{3, [](Config& c) { c.backend_batch_interval = std::chrono::seconds(1); }};
  std::string survivor;
  Marks marks;

  Lagging() {
    const std::string leader = cluster.leader();
    survivor = cluster.follower();
    cluster.world.run_for(std::chrono::seconds(5));
    int answered = 0;
    for (int i = 0; i < kPuts; ++i) {
      cluster[leader]->propose(Op::kPut, SimServer::put_body(key(i), "v"),
                               [&](Result<ApplyResponse> r) { answered += r ? 1 : 0; });
    }
    REQUIRE(cluster.run_until([&] { return answered == kPuts && cluster.same_hash(); }));
    cluster.disk(survivor).inject(truss::testing::skip_matching([](const auto& op) {
      return truss::testing::is_sync(op.kind) && op.path.starts_with(kWal);
    }));
    cluster.world.run_for(std::chrono::seconds(3));
    for (const char* name : {"a", "b", "c"}) cluster.power_off(name);
    marks = marks_of(cluster.disk(survivor));
    REQUIRE(marks.commit + 3 < marks.applied);
  }

  void start() {
    REQUIRE_MESSAGE(cluster.start(survivor), cluster.error(survivor));
    REQUIRE(cluster[survivor].run_until_ready());
  }
  void force() {
    cluster.config(survivor).force_new_cluster = true;
    start();
    cluster.config(survivor).force_new_cluster = false;
  }
  void check_kept() {
    CHECK(cluster[survivor]->members()->size() == 1);
    for (int i = 0; i < kPuts; ++i) CHECK(cluster[survivor].get(key(i)) == "v");
  }
};

}  // namespace

TEST_CASE("--force-new-cluster turns one member of a cluster into a cluster of one") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(*cluster[leader].put("kept", "1"));
  const std::string survivor = cluster.follower();
  REQUIRE(cluster.run_until([&] { return cluster.same_hash(); }));
  // The db's next commit takes with it that the entry is committed.
  cluster.world.run_for(std::chrono::milliseconds(150));
  for (const char* name : {"a", "b", "c"}) cluster.power_off(name);
  cluster.config(survivor).force_new_cluster = true;
  REQUIRE_MESSAGE(cluster.start(survivor), cluster.error(survivor));
  REQUIRE(cluster[survivor].run_until_ready());
  CHECK(cluster[survivor]->members()->size() == 1);
  CHECK(cluster[survivor].get("kept") == "1");
  CHECK(*cluster[survivor].put("more", "2"));
  cluster.settle();
  cluster.config(survivor).force_new_cluster = false;
  REQUIRE(cluster.add(survivor, "d"));
  REQUIRE_MESSAGE(cluster.join("d"), cluster.error("d"));
  REQUIRE(cluster["d"].run_until_ready());
  CHECK(cluster["d"].get("kept") == "1");
}

TEST_CASE("a learner that is forced leads its cluster of one") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  cluster.settle();
  REQUIRE(*cluster[leader].put("kept", "1"));
  REQUIRE(cluster.add(leader, "d", true));
  REQUIRE_MESSAGE(cluster.join("d"), cluster.error("d"));
  REQUIRE(cluster["d"].run_until_ready());
  REQUIRE(cluster.run_until([&] { return cluster.same_hash(); }));
  cluster.settle();
  for (const char* name : {"a", "b", "c", "d"}) cluster.power_off(name);
  cluster.config("d").force_new_cluster = true;
  REQUIRE_MESSAGE(cluster.start("d"), cluster.error("d"));
  REQUIRE(cluster.run_until([&] { return cluster["d"]->status().is_leader; }));
  CHECK(cluster["d"]->members()->size() == 1);
  CHECK(!cluster["d"]->status().is_learner);
  CHECK(cluster["d"].get("kept") == "1");
  CHECK(*cluster["d"].put("more", "2"));
}

TEST_CASE("a forced cluster numbers nothing anew that the db has applied") {
  Lagging f;
  f.force();
  f.check_kept();
  for (int i = 0; i < 2 * Lagging::kPuts; ++i) {
    const auto answer = f.cluster[f.survivor].put("new" + std::to_string(i), "w");
    REQUIRE_MESSAGE((answer && *answer), i);
  }
  f.cluster.power_off(f.survivor);
  f.cluster.world.run_for(std::chrono::seconds(1));  // ids of requests are made of the time
  f.start();
  f.check_kept();
  for (int i = 0; i < 2 * Lagging::kPuts; ++i) {
    CHECK(f.cluster[f.survivor].get("new" + std::to_string(i)) == "w");
  }
}

TEST_CASE("a member knows that what its db has applied is committed") {
  Lagging f;
  REQUIRE_MESSAGE(f.cluster.start(f.survivor), f.cluster.error(f.survivor));
  CHECK(f.cluster[f.survivor]->status().committed.value() == f.marks.applied);
  f.cluster.world.run_for(std::chrono::seconds(5));
  CHECK(f.cluster[f.survivor]->status().applied.value() == f.marks.applied);
  for (const char* name : {"a", "b", "c"}) {
    if (name != f.survivor) REQUIRE_MESSAGE(f.cluster.start(name), f.cluster.error(name));
  }
  REQUIRE(*f.cluster[f.cluster.leader()].put("more", "2"));
  REQUIRE(f.cluster.run_until([&] { return f.cluster.same_hash(); }));
  CHECK(f.cluster[f.survivor].get(key(Lagging::kPuts - 1)) == "v");
}

TEST_CASE("a cluster stays forced if the power fails as soon as the member has started") {
  Lagging f;
  f.cluster.config(f.survivor).force_new_cluster = true;
  REQUIRE_MESSAGE(f.cluster.start(f.survivor), f.cluster.error(f.survivor));
  f.cluster.power_off(f.survivor);
  f.cluster.config(f.survivor).force_new_cluster = false;
  f.start();
  f.check_kept();
  CHECK(*f.cluster[f.survivor].put("more", "2"));
}
