#include <doctest/doctest.h>

#include "sim_cluster.h"
#include "truss/bolt/bolt.h"
#include "truss/mvcc/watch.h"
#include "truss/schema/buckets.h"
#include "truss/schema/revision.h"

/// Snapshots between members.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

SimCluster::Tune short_log(CompatLevel level = CompatLevel::k36) {
  return [level](Config& config) {
    config.compat = level;
    config.snapshot_count = 40;
    config.snapshot_catch_up_entries = 10;
  };
}

/// A cluster with a leader, and a follower that was cut off while much was written.
struct LeftBehind {
  explicit LeftBehind(SimCluster::Tune tune, int writes = 200) : cluster(11, std::move(tune)) {
    leader = cluster.leader();
    REQUIRE(!leader.empty());
    behind = SimCluster::other({leader});
    cluster.put_many(leader, 20, "first");
    REQUIRE(cluster.run_until_same());
    cluster.wire.isolate(SimCluster::url_of(behind));
    cluster.put_many(leader, writes);
  }
  SimServer& follower() { return cluster[behind]; }
  bool catches_up() {
    cluster.wire.heal();
    return cluster.run_until_same();
  }

  SimCluster cluster;
  std::string leader;
  std::string behind;
};

int revision_count(std::vector<mvcc::WatchResponse>& responses) {
  int count = 0;
  for (const auto& response : responses) count += static_cast<int>(response.events.size());
  return count;
}

}  // namespace

TEST_CASE("a follower far behind gets a snapshot, at every level, and goes on from it") {
  for (const auto level : {CompatLevel::k34, CompatLevel::k35, CompatLevel::k36}) {
    CAPTURE(level_name(level));
    LeftBehind f(short_log(level));
    REQUIRE(f.catches_up());
    CHECK(f.cluster.wire.counts().snapshots_delivered == 1);
    CHECK(f.follower().get("k199") == "value of k199");
    CHECK(f.follower()->members()->size() == 3);
    CHECK(f.follower()->status().cluster_version == f.cluster[f.leader]->status().cluster_version);
    REQUIRE(*f.follower().put("after", "1"));
    // And from its own disk.
    f.cluster.kill(f.behind);
    f.cluster.start(f.behind);
    CHECK(f.follower().get("k199") == "value of k199");
    REQUIRE(f.cluster.run_until_same());
    CHECK(f.cluster.wire.counts().snapshots_begun == 1);
  }
}

TEST_CASE("a follower that comes back on its old disk gets a snapshot") {
  LeftBehind f(short_log());
  f.cluster.kill(f.behind);
  f.cluster.start(f.behind);
  REQUIRE(f.catches_up());
  CHECK(f.cluster.wire.counts().snapshots_delivered == 1);
}

TEST_CASE("a follower not far behind gets entries") {
  LeftBehind f(short_log(), 8);
  REQUIRE(f.catches_up());
  CHECK(f.cluster.wire.counts().snapshots_begun == 0);
}

TEST_CASE("from 3.6 on the log in memory is short, at 3.4 a leader keeps what a follower lacks") {
  const auto rare = [](CompatLevel level) {
    return [level](Config& config) {
      config.compat = level;
      config.snapshot_count = 10'000;
      config.snapshot_catch_up_entries = 10;
    };
  };
  LeftBehind newer(rare(CompatLevel::k36), 400);
  REQUIRE(newer.catches_up());
  CHECK(newer.cluster.wire.counts().snapshots_delivered == 1);
  LeftBehind older(rare(CompatLevel::k34), 400);
  REQUIRE(older.catches_up());
  CHECK(older.cluster.wire.counts().snapshots_begun == 0);
}

TEST_CASE("leases, alarms and compaction come with the snapshot") {
  LeftBehind f(short_log(), 5);
  SimServer& leader = f.cluster[f.leader];
  int done = 0;
  const auto count = [&](const Result<ApplyResponse>& r) { done += r ? 1 : 0; };
  leader->lease_grant(77, 1000, count);
  std::string alarm;
  PbWriter out(alarm);
  out.put_varint(1, 1);
  out.put_varint(2, SimCluster::id_of("a").value());
  out.put_varint(3, 1);
  std::string compaction;
  PbWriter(compaction).put_varint(1, 15);
  leader->propose(Op::kCompaction, compaction, count);
  REQUIRE(f.cluster.world.run_until([&] { return done == 2; }));
  f.cluster.put_many(f.leader, 100, "more");
  leader->propose(Op::kAlarm, alarm, count);
  REQUIRE(f.cluster.world.run_until([&] { return done == 3; }));
  REQUIRE(f.catches_up());
  CHECK(f.cluster.wire.counts().snapshots_delivered == 1);
  CHECK(f.follower()->lessor().leases() == std::vector<lease::LeaseId>{lease::LeaseId{77}});
  CHECK(f.follower()->alarms() == leader->alarms());
  CHECK(f.follower()->alarms().size() == 1);
  CHECK(f.follower()->store().compact_revision() == 15);
}

TEST_CASE("watches of the follower see every revision once, in order") {
  LeftBehind f(short_log());
  auto queue = std::make_shared<mvcc::WatchQueue>(nullptr);
  auto stream = f.follower()->store().watch_stream(queue);
  stream->create({.key = "\0", .range_end = ByteView("\0", 1)});
  const std::int64_t before = f.follower()->store().current_revision();
  std::vector<mvcc::WatchResponse> seen;
  const auto drain = [&] {
    while (auto response = queue->take()) seen.push_back(*std::move(response));
  };
  f.cluster.wire.heal();
  REQUIRE(f.cluster.run_until_same());
  REQUIRE(*f.follower().put("live", "1"));
  f.cluster.world.run_for(std::chrono::seconds(1));
  drain();
  std::int64_t last = before;
  for (const auto& response : seen) {
    for (const auto& event : response.events) CHECK(event.kv->mod_revision == ++last);
  }
  CHECK(revision_count(seen) == 201);
  CHECK(f.cluster.wire.counts().snapshots_delivered == 1);
}

TEST_CASE("a snapshot that comes twice, or late, does no harm") {
  LeftBehind f(short_log());
  f.cluster.wire.repeat_snapshots();
  raft::Message copy;
  f.cluster.wire.tap = [&](const raft::Message& m) {
    if (m.type == raft::MessageType::kSnap) copy = m;
  };
  REQUIRE(f.catches_up());
  f.cluster.put_many(f.leader, 30, "later");
  // The first one once more, after everything.
  auto late = f.cluster[f.leader]->open_snapshot();
  REQUIRE(late);
  f.cluster.transport(f.leader).send_snapshot(copy, *std::move(late));
  REQUIRE(
      f.cluster.world.run_until([&] { return f.cluster.wire.counts().snapshots_delivered == 2; }));
  f.cluster.world.run_for(std::chrono::seconds(2));
  CHECK(f.follower().member().alive());
  CHECK(f.follower().get("later29"));
  REQUIRE(f.cluster.run_until_same());
  f.cluster.kill(f.behind);
  f.cluster.start(f.behind);
  REQUIRE(f.cluster.run_until_same());
}

TEST_CASE("a transfer that breaks off is tried again; nothing of it stays") {
  LeftBehind f(short_log());
  f.cluster.wire.pace(std::chrono::milliseconds(20));
  f.cluster.wire.heal();
  REQUIRE(f.cluster.world.run_until([&] { return f.cluster.wire.counts().snapshots_begun == 1; }));
  f.cluster.world.run_for(std::chrono::milliseconds(60));
  f.cluster.wire.isolate(SimCluster::url_of(f.behind));
  REQUIRE(f.cluster.world.run_until([&] { return f.cluster.wire.counts().snapshots_failed == 1; }));
  const auto names = f.follower().files().list("/data/member/snap");
  for (const std::string& name : *names) {
    CHECK(!name.starts_with("tmp"));
  }
  REQUIRE(f.catches_up());
  CHECK(f.cluster.wire.counts().snapshots_delivered == 1);
}

TEST_CASE("a snapshot that is refused again and again is sent after pauses that double up to 8 s") {
  LeftBehind f(short_log());
  f.cluster.wire.refuse_snapshots(true);
  std::vector<MonoTime> sent;
  f.cluster.wire.tap = [&](const raft::Message& m) {
    if (m.type == raft::MessageType::kSnap) sent.push_back(f.cluster.world.clock().now());
  };
  f.cluster.wire.heal();
  REQUIRE(f.cluster.world.run_until([&] { return sent.size() == 7; }, std::chrono::minutes(1)));
  const Duration late = 4 * f.follower()->config().heartbeat_interval;  // raft asks at heartbeats
  const int pauses[] = {0, 1, 2, 4, 8, 8};
  for (std::size_t i = 0; i < std::size(pauses); ++i) {
    CAPTURE(i);
    const Duration pause = sent[i + 1] - sent[i];
    CHECK(pause >= std::chrono::seconds(pauses[i]));
    CHECK(pause <= std::chrono::seconds(pauses[i]) + late);
  }
  f.cluster.wire.refuse_snapshots(false);
  REQUIRE(f.cluster.run_until_same());
  CHECK(f.cluster.wire.counts().snapshots_delivered == 1);
}

TEST_CASE("the log behind a snapshot stays while it travels, and for 30 s after") {
  LeftBehind f(short_log());
  f.cluster.wire.pace(std::chrono::milliseconds(50));
  f.cluster.wire.heal();
  REQUIRE(f.cluster.world.run_until([&] { return f.cluster.wire.counts().snapshots_begun == 1; }));
  f.cluster.put_many(f.leader, 300, "meanwhile");
  REQUIRE(f.cluster.run_until_same());
  CHECK(f.cluster.wire.counts().snapshots_begun == 1);
}

TEST_CASE("an image read slowly is that of the moment it was opened") {
  SimCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  cluster.put_many(leader, 50);
  auto image = cluster[leader]->open_snapshot();
  REQUIRE(image);
  const std::int64_t revision = cluster[leader]->store().current_revision();
  SimFileSystem disk;
  const auto file = disk.open("/image", {.write = true, .create = true}).value();
  for (std::uint64_t at = 0;;) {
    cluster.put_many(leader, 50);
    cluster.world.run_for(std::chrono::seconds(1));
    const std::string piece = (*image)->read(1000).value();
    if (piece.empty()) break;
    REQUIRE(file->pwrite(piece, at));
    at += piece.size();
  }
  auto db = bolt::DB::open(disk, "/image", {.read_only = true});
  REQUIRE(db);
  auto tx = (*db)->begin_read();
  const auto keys = tx->bucket(schema::bucket_name(schema::BucketId::kKey));
  REQUIRE((keys && *keys));
  auto cursor = (*keys)->cursor();
  const auto last = cursor.last();
  REQUIRE((last && *last));
  CHECK(schema::decode_revision((*last)->key)->revision.main == revision);
}

TEST_CASE("a database that does not fit its snapshot never reaches raft") {
  LeftBehind f(short_log());
  raft::Message forged;
  forged.type = raft::MessageType::kSnap;
  forged.from = SimCluster::id_of(f.leader);
  forged.to = SimCluster::id_of(f.behind);
  forged.term = f.cluster[f.leader]->term();
  forged.has_snapshot = true;
  forged.snapshot.metadata = {
      {.voters = {SimCluster::id_of("a"), SimCluster::id_of("b"), SimCluster::id_of("c")}},
      raft::Index(100'000),
      forged.term};
  forged.snapshot.data = SharedBytes::copy("{}");
  f.cluster.wire.isolate(SimCluster::url_of(f.leader));
  auto image = f.follower()->open_snapshot();
  REQUIRE(image);
  f.cluster.wire.heal();
  f.cluster.transport(f.leader).send_snapshot(std::move(forged), *std::move(image));
  REQUIRE(f.cluster.run_until_same());
  CHECK(f.follower().member().alive());
  CHECK(f.follower().logger().contains("refused a snapshot of the leader"));
}
