#include <doctest/doctest.h>

#include "sim_cluster.h"

/// Three members over a transport in memory: what a cluster will need of the loop works already.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

using Cluster = SimCluster;

TEST_CASE("three members found one cluster, agree, and hold the same data") {
  Cluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (const char* name : {"a", "b", "c"}) {
    // Followers forward, and answer when they have applied it themselves.
    const auto done = cluster[name].put(name, "value");
    REQUIRE(done);
    REQUIRE_MESSAGE(*done, done->error().message);
    CHECK(cluster[name].get(name) == "value");
    CHECK(cluster[name].read_index());
  }
  REQUIRE(cluster.run_until_same());
  CHECK(cluster["a"]->cluster_id() == cluster["c"]->cluster_id());
  CHECK(cluster["b"]->members()->size() == 3);
  CHECK(cluster["b"]->members()->front().started());
}

TEST_CASE("a killed leader is replaced, and catches up when it comes back") {
  Cluster cluster;
  const std::string first = cluster.leader();
  REQUIRE(!first.empty());
  REQUIRE(*cluster[first].put("before", "1"));
  cluster.kill(first);
  const std::string second = cluster.leader();
  REQUIRE(!second.empty());
  CHECK(second != first);
  CHECK(cluster[second].read_index());
  CHECK(cluster[second].get("before") == "1");
  for (int i = 0; i < 20; ++i) REQUIRE(*cluster[second].put("k" + std::to_string(i), "v"));
  cluster.start(first);
  REQUIRE(cluster.run_until_same());
  CHECK(cluster[first].get("k19") == "v");
  CHECK(cluster[first].member().alive());
}

TEST_CASE("without a quorum nothing is answered, and requests time out with etcd's text") {
  Cluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (const char* name : {"a", "b", "c"}) {
    if (name != leader) cluster.kill(name);
  }
  std::optional<Error> put;
  std::optional<Error> read;
  cluster[leader]->propose(Op::kPut, SimServer::put_body("k", "v"),
                           [&](Result<ApplyResponse> r) { put = r ? Error{} : r.error(); });
  cluster[leader]->linearizable_read_notify([&](Result<> r) { read = r ? Error{} : r.error(); });
  cluster.world.run_for(std::chrono::seconds(6));
  CHECK(!put);
  cluster.world.run_for(std::chrono::seconds(4));
  REQUIRE(put);
  REQUIRE(read);
  CHECK(put->message == "etcdserver: request timed out");
  CHECK(read->message == "etcdserver: request timed out");
  CHECK(!cluster[leader].get("k"));
}

TEST_CASE("a request that was lost with the connection to the leader says so") {
  Cluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  const std::string follower = Cluster::other({leader});
  cluster.world.run_for(std::chrono::seconds(3));
  std::optional<Error> put;
  cluster.wire.isolate(Cluster::url_of(follower));
  cluster[follower]->propose(Op::kPut, SimServer::put_body("k", "v"),
                             [&](Result<ApplyResponse> r) { put = r ? Error{} : r.error(); });
  cluster.world.run_for(std::chrono::milliseconds(300));
  cluster.wire.heal();
  REQUIRE(cluster.world.run_until([&] { return put.has_value(); }));
  CHECK(cluster[follower]->status().leader == Cluster::id_of(leader));
  CHECK(put->message == "etcdserver: request timed out, possibly due to connection lost");
}

TEST_CASE("each read that finds no quorum has the whole request time-out") {
  Cluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (const char* name : {"a", "b", "c"}) {
    if (name != leader) cluster.kill(name);
  }
  std::vector<Result<>> answers;
  const auto read = [&] {
    cluster[leader]->linearizable_read_notify([&](Result<> r) { answers.push_back(std::move(r)); });
  };
  read();  // a round of its own; the others wait for the next
  cluster.world.run_for(std::chrono::seconds(1));
  read();
  cluster.world.run_for(std::chrono::seconds(5));
  read();
  cluster.world.run_for(std::chrono::seconds(3));
  CHECK(answers.size() == 2);
  cluster.world.run_for(std::chrono::seconds(5));
  REQUIRE(answers.size() == 3);
  for (const auto& answer : answers) {
    CHECK((!answer && answer.error().message == "etcdserver: request timed out"));
  }
}

TEST_CASE("leadership that moves to somebody else is no answer to a request to move it") {
  Cluster cluster;
  const std::string first = cluster.leader();
  REQUIRE(!first.empty());
  const std::string target = Cluster::other({first});
  const std::string third = Cluster::other({first, target});
  std::optional<Result<>> moved;
  std::optional<Result<>> other;
  cluster.wire.isolate(Cluster::url_of(target));
  cluster[first]->move_leader(Cluster::id_of(target), [&](Result<> r) { moved = r; });
  cluster.world.run_for(std::chrono::milliseconds(50));
  cluster[first]->move_leader(Cluster::id_of(third), [&](Result<> r) { other = r; });
  REQUIRE(cluster.world.run_until([&] { return moved && other; }));
  CHECK(*other);
  REQUIRE(!*moved);
  CHECK(moved->error().message == "etcdserver: leader changed");
}

TEST_CASE("leadership moves on request") {
  Cluster cluster;
  const std::string first = cluster.leader();
  REQUIRE(!first.empty());
  const std::string target = first == "a" ? "b" : "a";
  std::optional<Result<>> moved;
  cluster[first]->move_leader(cluster[target]->member_id(), [&](Result<> r) { moved = r; });
  REQUIRE(cluster.world.run_until([&] { return moved.has_value(); }));
  CHECK(*moved);
  CHECK(cluster.leader() == target);
}
