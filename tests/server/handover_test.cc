#include <doctest/doctest.h>

#include "peer_cluster.h"

/// A leader that stops, and what a loss of the leader tells.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

TEST_CASE("a leader that stops hands over to the voter connected longest") {
  PeerCluster cluster;
  const std::string first = cluster.leader();
  REQUIRE(!first.empty());
  const std::string late = cluster.follower();
  cluster.kill(late);
  REQUIRE(cluster.start(late));
  cluster.settle();
  const raft::Term term = cluster[late]->term();
  const MonoTime before = cluster.world.clock().now();
  cluster.stop(first);
  CHECK(cluster.world.clock().now() - before < std::chrono::milliseconds(500));
  const std::string second = cluster.leader();
  CHECK(!second.empty());
  CHECK(second != late);
  CHECK(cluster[late]->term() == term + 1);
}

TEST_CASE("a leader without anybody to hand over to stops at once") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (const char* name : {"a", "b", "c"}) {
    if (name != leader) cluster.kill(name);
  }
  const MonoTime before = cluster.world.clock().now();
  cluster.stop(leader);
  CHECK(cluster.world.clock().now() - before < std::chrono::milliseconds(500));
}

TEST_CASE("a member that sees no leader for three election time-outs says so, once a loss") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  const std::string follower = cluster.follower();
  int lost = 0;
  cluster[follower]->on_leader_lost([&] { ++lost; });
  cluster.kill(leader);
  REQUIRE(!cluster.leader().empty());  // the other two elect one in time
  cluster.settle();
  CHECK(lost == 0);
  for (const char* name : {"a", "b", "c"}) {
    if (name != follower && cluster.runs(name)) cluster.kill(name);
  }
  cluster.world.run_for(std::chrono::seconds(20));
  CHECK(lost == 1);
  REQUIRE(cluster.start(leader));
  REQUIRE(!cluster.leader().empty());
  cluster.kill(leader);
  cluster.world.run_for(std::chrono::seconds(20));
  CHECK(lost == 2);
}
