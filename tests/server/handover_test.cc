#include <doctest/doctest.h>

#include "peer_cluster.h"

/// A leader that stops.
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
