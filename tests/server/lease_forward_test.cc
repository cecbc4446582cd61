#include <doctest/doctest.h>

#include "peer_cluster.h"
#include "truss/mvcc/errors.h"

/// Leases are kept alive and looked at through whichever member, and outlive leaders.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

Result<std::int64_t> renew(PeerCluster& cluster, const std::string& at, std::int64_t id) {
  return cluster.await<std::int64_t>(
      [&](auto done) { cluster[at]->lease_renew(id, std::move(done)); });
}

Result<lease::LeaseInfo> look(PeerCluster& cluster, const std::string& at, std::int64_t id,
                              bool keys = false) {
  return cluster.await<lease::LeaseInfo>(
      [&](auto done) { cluster[at]->lease_time_to_live(id, keys, std::move(done)); });
}

void grant(PeerCluster& cluster, const std::string& at, std::int64_t id, std::int64_t ttl) {
  const auto granted = cluster.await<ApplyResponse>(
      [&](auto done) { cluster[at]->lease_grant(id, ttl, std::move(done)); });
  REQUIRE_MESSAGE(granted, granted.error().message);
}

std::string put_with_lease(ByteView key, std::uint64_t lease) {
  std::string body = SimServer::put_body(key, "v");
  PbWriter(body).field_varint(3, lease);
  return body;
}

}  // namespace

TEST_CASE("a lease is renewed through any member, and not found through any") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  grant(cluster, cluster.follower(), 7, 10);
  for (const char* name : {"a", "b", "c"}) {
    const auto ttl = renew(cluster, name, 7);
    REQUIRE_MESSAGE(ttl, ttl.error().message);
    CHECK(*ttl == 10);
    const auto none = renew(cluster, name, 8);
    REQUIRE_MESSAGE(none, none.error().message);
    CHECK(*none == 0);
  }
}

TEST_CASE("time to live is the leader's, whoever is asked") {
  PeerCluster cluster;
  REQUIRE(!cluster.leader().empty());
  grant(cluster, cluster.leader(), 7, 100);
  REQUIRE(*cluster[cluster.leader()].ask(Op::kPut, put_with_lease("attached", 7)));
  cluster.world.run_for(std::chrono::seconds(30));
  for (const char* name : {"a", "b", "c"}) {
    const auto info = look(cluster, name, 7, true);
    REQUIRE_MESSAGE(info, info.error().message);
    CHECK(info->granted_ttl == 100);
    CHECK(info->remaining_ttl >= 68);
    CHECK(info->remaining_ttl <= 70);
    CHECK(info->keys == std::vector<std::string>{"attached"});
    const auto none = look(cluster, name, 8);
    REQUIRE(!none);
    CHECK(none.error() == mvcc::errors::lease_not_found());
  }
}

TEST_CASE("a peer's renewal is served by the leader alone, with the words of the HTTP answer") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  grant(cluster, leader, 7, 10);
  const auto for_peer = [&](const std::string& at, std::int64_t id) {
    return cluster.await<std::int64_t>(
        [&](auto done) { cluster[at]->lease_renew_for_peer(id, std::move(done)); });
  };
  CHECK(*for_peer(leader, 7) == 10);
  const auto none = for_peer(leader, 8);
  REQUIRE(!none);
  CHECK(none.error() == Error{Code::kNotFound, "lease not found", 0});
  const auto follower = for_peer(cluster.follower(), 7);
  REQUIRE(!follower);
  CHECK(follower.error() == Error{Code::kInvalidArgument, "not a primary lessor", 0});
}

TEST_CASE("a leader whose ticks run asks nobody before it renews a lease") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  grant(cluster, leader, 7, 10);
  cluster.world.run_for(std::chrono::seconds(5));
  cluster.wire.isolate(PeerCluster::url(leader));
  const MonoTime asked = cluster.world.clock().now();
  const auto ttl = renew(cluster, leader, 7);
  REQUIRE_MESSAGE(ttl, ttl.error().message);
  CHECK(*ttl == 10);
  CHECK(cluster.world.clock().now() - asked < std::chrono::milliseconds(100));
}

TEST_CASE("a leader that slept renews nothing before a quorum says that it still leads") {
  PeerCluster cluster;
  const std::string first = cluster.leader();
  grant(cluster, first, 7, 60);
  cluster.world.run_for(std::chrono::seconds(5));
  cluster[first].pause(true);
  const auto others_lead = [&] {
    for (const char* name : {"a", "b", "c"}) {
      if (name != first && cluster[name]->status().is_leader) return true;
    }
    return false;
  };
  REQUIRE(cluster.run_until(others_lead));
  std::vector<Result<std::int64_t>> answers;
  const auto ask = [&] {
    cluster[first]->lease_renew_for_peer(
        7, [&](Result<std::int64_t> ttl) { answers.push_back(std::move(ttl)); });
  };
  REQUIRE(cluster[first]->status().is_leader);  // as far as it knows
  ask();
  CHECK(answers.empty());
  // Awake, but cut off: its ticks run again, and tell nothing of the time in between.
  cluster.wire.isolate(PeerCluster::url(first));
  cluster[first].pause(false);
  cluster.world.run_for(std::chrono::milliseconds(250));
  REQUIRE(cluster[first]->status().is_leader);
  ask();
  cluster.world.run_for(std::chrono::milliseconds(250));
  CHECK(answers.empty());
  cluster.wire.heal(PeerCluster::url(first));
  REQUIRE(cluster.run_until([&] { return answers.size() == 2; }));
  for (const auto& answer : answers) CHECK(!answer);
  const auto ttl = renew(cluster, first, 7);  // the new leader's word
  REQUIRE_MESSAGE(ttl, ttl.error().message);
  CHECK(*ttl == 60);
}

TEST_CASE("a renewal begun without a leader finds the next one; without any it says so") {
  PeerCluster cluster;
  const std::string first = cluster.leader();
  grant(cluster, first, 7, 60);
  const std::string other = cluster.follower();
  cluster.kill(first);
  const auto ttl = renew(cluster, other, 7);
  REQUIRE_MESSAGE(ttl, ttl.error().message);
  CHECK(*ttl == 60);
  cluster.kill(cluster.leader() == other ? cluster.follower() : cluster.leader());
  cluster.run_until([&] { return cluster[other]->status().leader == raft::kNoNode; });
  const auto nobody = renew(cluster, other, 7);
  REQUIRE(!nobody);
  CHECK(nobody.error().message == "etcdserver: no leader");
}

TEST_CASE("a new leader gives every lease its time anew, and the old one expires none") {
  PeerCluster cluster;
  const std::string first = cluster.leader();
  grant(cluster, first, 7, 10);
  cluster.world.run_for(std::chrono::seconds(8));
  cluster.wire.isolate(PeerCluster::url(first));
  const std::string other = cluster.follower() == first ? "a" : cluster.follower();
  REQUIRE(cluster.run_until([&] {
    const Status s = cluster[other]->status();
    return s.leader != raft::kNoNode && s.leader != cluster.id(first);
  }));
  cluster.world.run_for(std::chrono::seconds(6));
  CHECK(cluster[other]->lessor().contains(lease::LeaseId{7}));
  cluster.wire.heal(PeerCluster::url(first));
  REQUIRE(cluster.run_until([&] { return cluster.same_hash(); }));
  // Each applies the new leader's revocation when it hears that it is committed: not at once.
  const auto has_lease = [&](const char* name) {
    return cluster[name]->lessor().contains(lease::LeaseId{7});
  };
  CHECK(cluster.run_until([&] { return !has_lease("a") && !has_lease("b") && !has_lease("c"); }));
  CHECK(cluster.same_hash());
}
