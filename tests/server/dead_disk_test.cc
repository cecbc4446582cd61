#include <doctest/doctest.h>

#include "sim_cluster.h"

/// A leader whose disk hangs makes room for another, and says why.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

constexpr std::string_view kDisk = "etcdserver: the disk of the write-ahead log does not answer";

bool says_disk(const Status& status) {
  return std::find(status.errors.begin(), status.errors.end(), kDisk) != status.errors.end();
}

struct Hung {
  explicit Hung(std::uint64_t seed = 11, SimCluster::Tune tune = {})
      : cluster(seed, std::move(tune)), leader(cluster.leader()) {
    REQUIRE(!leader.empty());
    cluster.put_many(leader, 5, "before");
    cluster[leader].hang_disk(true);
    cluster[leader]->propose(Op::kPut, SimServer::put_body("stuck", "1"),
                             [this](const Result<ApplyResponse>& r) { answered = r.has_value(); });
  }
  SimServer& old_leader() { return cluster[leader]; }
  /// Somebody else that leads, "" if nobody does within the time.
  std::string new_leader(Duration limit) {
    std::string found;
    cluster.world.run_until([&] { return !(found = leading()).empty(); }, limit);
    return found;
  }
  std::string leading() {
    for (const std::string& name : SimCluster::names()) {
      if (name != leader && cluster.runs(name) && cluster[name]->status().is_leader) return name;
    }
    return {};
  }

  SimCluster cluster;
  std::string leader;
  bool answered = false;
};

}  // namespace

TEST_CASE("a leader whose disk hangs hands over within three election time-outs") {
  Hung f;
  const std::string next = f.new_leader(std::chrono::milliseconds(3200));
  REQUIRE(!next.empty());
  CHECK(f.old_leader().logger().contains("handing leadership over: the disk of this leader"));
  CHECK(says_disk(f.old_leader()->status()));
  CHECK(!says_disk(f.cluster[next]->status()));
  REQUIRE(*f.cluster[next].put("after", "1"));
  CHECK(f.cluster[next].get("stuck") == "1");  // the others had it
}

TEST_CASE("it does not come back to lead while the disk hangs, whoever else ends") {
  Hung f;
  const std::string next = f.new_leader(std::chrono::seconds(4));
  REQUIRE(!next.empty());
  f.cluster.kill(next);
  f.cluster.world.run_for(std::chrono::seconds(30));
  CHECK(!f.old_leader()->status().is_leader);
  f.cluster.start(next);
  REQUIRE(!f.new_leader(std::chrono::seconds(30)).empty());
}

TEST_CASE("once the disk answers, it follows and catches up") {
  Hung f;
  const std::string next = f.new_leader(std::chrono::seconds(4));
  REQUIRE(!next.empty());
  f.cluster.put_many(next, 50, "meanwhile");
  f.old_leader().hang_disk(false);
  REQUIRE(f.cluster.run_until_same());
  f.cluster.world.run_for(std::chrono::milliseconds(200));  // it looks at each tick
  CHECK(!says_disk(f.old_leader()->status()));
  CHECK(f.old_leader().logger().contains("answers again"));
  CHECK(f.answered);
  // It may lead again.
  std::optional<Result<>> moved;
  f.cluster[next]->move_leader(SimCluster::id_of(f.leader), [&](Result<> r) { moved = r; });
  REQUIRE(f.cluster.world.run_until([&] { return moved.has_value(); }));
  CHECK(*moved);
}

TEST_CASE("with nobody to hand over to it steps down and stops its heartbeats") {
  Hung f;
  for (const std::string& name : SimCluster::names()) {
    if (name != f.leader)
      f.cluster.wire.block(SimCluster::url_of(f.leader), SimCluster::url_of(name));
  }
  // What the others say still comes in, so raft alone would see a quorum for ever.
  int heartbeats = 0;
  f.cluster.wire.tap = [&](const raft::Message& m) {
    heartbeats += m.type == raft::MessageType::kHeartbeat && m.from == SimCluster::id_of(f.leader);
  };
  f.cluster.world.run_for(std::chrono::seconds(5));
  CHECK(!f.old_leader()->status().is_leader);
  heartbeats = 0;
  f.cluster.world.run_for(std::chrono::seconds(20));
  CHECK(heartbeats == 0);
  CHECK(!f.new_leader(std::chrono::seconds(5)).empty());
}

TEST_CASE("a slow disk delays neither ticks nor heartbeats, and costs no leadership") {
  SimCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  MonoTime last = cluster.world.clock().now();
  Duration widest{};
  const raft::NodeId to = SimCluster::id_of(SimCluster::other({leader}));
  cluster.wire.tap = [&](const raft::Message& m) {
    if (m.type != raft::MessageType::kHeartbeat || m.to != to) return;
    const MonoTime now = cluster.world.clock().now();
    widest = std::max(widest, now - last);
    last = now;
  };
  for (int i = 0; i < 20; ++i) {
    cluster[leader].hang_disk(true);
    cluster[leader]->propose(Op::kPut, SimServer::put_body("k", "v"),
                             [](const Result<ApplyResponse>&) {});
    cluster.world.run_for(std::chrono::milliseconds(1500));
    cluster[leader].hang_disk(false);
    cluster.world.run_for(std::chrono::milliseconds(200));
  }
  CHECK(cluster[leader]->status().is_leader);
  CHECK(widest < std::chrono::milliseconds(150));
}
