#include <doctest/doctest.h>

#include <algorithm>

#include "peer_cluster.h"
#include "truss/server/errors.h"

/// Joining an existing cluster, and every reason not to.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

/// A cluster of one at http://a:1 that only answers questions.
FakePeer fake_cluster(const std::string& version = "3.6.0") {
  FakePeer fake;
  fake.members.cluster = ClusterId(0xc1);
  fake.members.members = {{.id = raft::NodeId(1),
                           .peer_urls = {"http://a:1"},
                           .name = "a",
                           .client_urls = {"http://a"}},
                          {.id = raft::NodeId(2), .peer_urls = {"http://d:1"}}};
  fake.version = {"3.6.14", version, version};
  return fake;
}

/// Starts d, which wants to join a, with a changed config; returns why it refused, "" if it didn't.
std::string try_to_join(const std::optional<FakePeer>& peer,
                        const std::function<void(Config&)>& change = nullptr) {
  PeerCluster cluster(0);
  if (peer) cluster.wire.fake("http://a:1", *peer);
  cluster.join("d", [&](Config& config) {
    config.initial_cluster = {{"a", {"http://a:1"}}, {"d", {"http://d:1"}}};
    if (change) change(config);
  });
  const std::string error = cluster.error("d");
  if (!error.empty()) {
    cluster.wire.fake("http://a:1", fake_cluster());
    CHECK_MESSAGE(cluster.join("d",
                               [](Config& c) {
                                 c.initial_cluster = {{"a", {"http://a:1"}}, {"d", {"http://d:1"}}};
                               }),
                  "the refusal left something behind: ", cluster.error("d"));
  }
  return error;
}

}  // namespace

TEST_CASE("a member added at run time joins, is fed the log from its start, and takes part") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (int i = 0; i < 20; ++i) REQUIRE(*cluster[leader].put("k" + std::to_string(i), "v"));
  cluster.settle();
  const auto added = cluster.add(cluster.follower(), "d");
  REQUIRE_MESSAGE(added, added.error().message);
  REQUIRE_MESSAGE(cluster.join("d"), cluster.error("d"));
  CHECK(cluster["d"]->cluster_id() == cluster["a"]->cluster_id());
  CHECK(cluster["d"]->members()->size() == 4);  // as it was told, before any entry came
  REQUIRE(cluster["d"].run_until_ready());
  REQUIRE(cluster.run_until([&] { return cluster.same_hash(); }));
  CHECK(cluster["d"].get("k19") == "v");
  CHECK(*cluster["d"].put("from", "d"));
  CHECK(cluster["d"].read_index());
  CHECK(cluster["a"]->members()->size() == 4);
  // Two of the four may fail to answer only if the new one counts.
  cluster.kill(cluster.follower() == "d" ? leader : cluster.follower());
  REQUIRE(!cluster.leader().empty());
  CHECK(*cluster["d"].put("still", "there"));
}

TEST_CASE("a joiner whose own name came with the snapshot is ready at once") {
  PeerCluster cluster(3, [](Config& c) {
    c.snapshot_count = 40;
    c.snapshot_catch_up_entries = 10;
  });
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (int i = 0; i < 100; ++i) REQUIRE(*cluster[leader].put("k" + std::to_string(i), "v"));
  cluster.settle();
  REQUIRE(cluster.add(leader, "d"));
  cluster.wire.refuse_snapshots(true);
  REQUIRE(cluster.join("d"));
  // It proposes its name; the others apply that, so that no entry of it will be left for d.
  REQUIRE(cluster.run_until([&] {
    const auto members = cluster[leader]->members();
    return std::any_of(members->begin(), members->end(),
                       [&](const Member& m) { return m.id == cluster.id("d") && !m.name.empty(); });
  }));
  CHECK(cluster["d"]->status().applied == raft::Index{});
  cluster.wire.refuse_snapshots(false);
  const MonoTime healed = cluster.world.clock().now();
  REQUIRE(cluster["d"].run_until_ready());
  CHECK(cluster.world.clock().now() - healed < std::chrono::seconds(5));
  CHECK(cluster["d"].get("k99") == "v");
}

TEST_CASE(
    "a joiner whose proposal was applied behind the snapshot, but too late, is ready at once") {
  PeerCluster cluster(3, [](Config& c) {
    c.snapshot_count = 40;
    c.snapshot_catch_up_entries = 10;
  });
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  for (int i = 0; i < 100; ++i) REQUIRE(*cluster[leader].put("k" + std::to_string(i), "v"));
  cluster.settle();
  REQUIRE(cluster.add(leader, "d"));
  cluster.wire.pace(std::chrono::seconds(1));
  REQUIRE(cluster.join("d"));
  const MonoTime began = cluster.world.clock().now();
  const auto named = [&](const std::string& at) {
    const auto members = cluster[at]->members();
    return std::any_of(members->begin(), members->end(),
                       [&](const Member& m) { return m.id == cluster.id("d") && !m.name.empty(); });
  };
  REQUIRE(cluster.run_until([&] { return named(leader); }));
  CHECK(cluster["d"]->status().applied == raft::Index{});
  cluster.wire.lose_proposals();  // whatever else d proposes
  REQUIRE(cluster.run_until([&] { return cluster["d"]->status().applied > raft::Index{}; }));
  const MonoTime installed = cluster.world.clock().now();
  CHECK(installed - began > cluster["d"]->config().request_timeout());
  REQUIRE(cluster["d"].run_until_ready());
  CHECK(named("d"));
  CHECK(cluster.world.clock().now() - installed < std::chrono::seconds(1));
}

TEST_CASE(
    "a joiner that was told nothing yet joins again after a restart, at the cluster's level") {
  PeerCluster cluster(1, [](Config& c) { c.compat = CompatLevel::k34; });
  REQUIRE(!cluster.leader().empty());
  REQUIRE(cluster["a"].run_until_ready());
  cluster.settle();
  REQUIRE(cluster.add("a", "d"));
  cluster.wire.isolate("http://d:1");
  cluster.wire.heal("http://d:1");
  REQUIRE_MESSAGE(cluster.join("d"), cluster.error("d"));
  CHECK(cluster["d"]->level() == CompatLevel::k34);
  const raft::NodeId id = cluster.id("d");
  cluster.kill("d");
  REQUIRE_MESSAGE(cluster.start("d"), cluster.error("d"));
  CHECK(cluster["d"]->level() == CompatLevel::k34);
  CHECK(cluster.id("d") == id);
  REQUIRE(cluster["d"].run_until_ready());
  CHECK(cluster["a"]->members()->size() == 2);
}

TEST_CASE("a joiner can't campaign, and founds nothing, before it is told who is in the cluster") {
  PeerCluster cluster(0);
  cluster.wire.fake("http://a:1", fake_cluster());
  const auto change = [](Config& c) {
    c.initial_cluster = {{"a", {"http://a:1"}}, {"d", {"http://d:1"}}};
  };
  REQUIRE_MESSAGE(cluster.join("d", change), cluster.error("d"));
  cluster.world.run_for(std::chrono::seconds(30));
  CHECK(cluster["d"]->term() == raft::Term{});
  CHECK(cluster["d"]->status().committed == raft::Index{});
  cluster.kill("d");
  // Not even when it is told to be new by mistake.
  cluster.config("d").new_cluster = true;
  cluster.config("d").initial_cluster = {{"d", {"http://d:1"}}};
  REQUIRE_MESSAGE(cluster.start("d"), cluster.error("d"));
  cluster.world.run_for(std::chrono::seconds(30));
  CHECK(cluster["d"]->status().leader == raft::kNoNode);
}

TEST_CASE("joining keeps the cluster's level, unless --compat is higher") {
  struct Case {
    const char* cluster;
    const char* server;
    std::optional<CompatLevel> compat;
    CompatLevel level;
  };
  for (const Case& c :
       {Case{"3.4.0", "3.4.23", {}, CompatLevel::k34}, Case{"3.5.0", "3.5.9", {}, CompatLevel::k35},
        Case{"3.6.0", "3.7.1", {}, CompatLevel::k36},
        Case{"3.0.0", "3.5.9", {}, CompatLevel::k35},  // one of them is silent
        Case{"3.4.0", "3.4.23", CompatLevel::k36, CompatLevel::k36}}) {
    PeerCluster cluster(0);
    FakePeer fake = fake_cluster(c.cluster);
    fake.version.server = c.server;
    cluster.wire.fake("http://a:1", fake);
    REQUIRE(cluster.join("d", [&](Config& config) {
      config.initial_cluster = {{"a", {"http://a:1"}}, {"d", {"http://d:1"}}};
      config.compat = c.compat;
    }));
    CHECK(cluster["d"]->level() == c.level);
  }
}

TEST_CASE("a joiner refuses with etcd's words, and leaves no directory behind") {
  const std::string listing =
      "{ClusterID:c1 Members:[&{ID:1 RaftAttributes:{PeerURLs:[http://a:1] IsLearner:false} "
      "Attributes:{Name:a ClientURLs:[http://a]}} &{ID:2 RaftAttributes:{PeerURLs:[http://d:1] "
      "IsLearner:false} Attributes:{Name: ClientURLs:[]}}] RemovedMemberIDs:[]}";
  CHECK(try_to_join(std::nullopt) ==
        "cannot fetch cluster info from peer urls: could not retrieve cluster information from the "
        "given URLs");
  CHECK(try_to_join(fake_cluster(), [](Config& c) { c.name = "x"; }) ==
        "couldn't find local name \"x\" in the initial cluster configuration");
  CHECK(try_to_join(fake_cluster(), [](Config& c) { c.initial_cluster["b"] = {"http://a:1"}; }) ==
        "initial cluster a=http://a:1,b=http://a:1,d=http://d:1 has duplicate url");
  CHECK(try_to_join(fake_cluster(), [](Config& c) { c.initial_cluster["b"] = {"http://b:1"}; }) ==
        "error validating peerURLs " + listing + ": member count is unequal");
  CHECK(try_to_join(fake_cluster(), [](Config& c) { c.initial_cluster["d"] = {"http://x:1"}; }) ==
        "error validating peerURLs " + listing +
            ": PeerURLs: no match found for existing member (2, [http://d:1])");
  FakePeer nobody = fake_cluster();
  nobody.members.members.clear();
  CHECK(try_to_join(nobody).find("failed to get raft cluster member(s)") != std::string::npos);
}

TEST_CASE("a joiner refuses a cluster of a version that it can't present") {
  const std::string incompatible = "incompatible with current running cluster";
  CHECK(try_to_join(fake_cluster("not_decided")) == incompatible);
  CHECK(try_to_join(fake_cluster("2.3.0")) == incompatible);
  CHECK(try_to_join(fake_cluster("3.8.0")) == incompatible);
  CHECK(try_to_join(fake_cluster("3.6.0"), [](Config& c) { c.compat = CompatLevel::k35; }) ==
        incompatible);
  FakePeer downgrading = fake_cluster();
  downgrading.downgrade_enabled = true;
  CHECK(try_to_join(downgrading).find("being downgraded") != std::string::npos);
}

TEST_CASE("peer URLs match by what their hosts resolve to") {
  PeerCluster cluster(0);
  cluster.wire.fake("http://a:1", fake_cluster());
  cluster.wire.alias("http://name-of-a:1", "http://a:1");
  REQUIRE_MESSAGE(
      cluster.join("d",
                   [](Config& c) {
                     c.initial_cluster = {{"a", {"http://name-of-a:1"}}, {"d", {"http://d:1"}}};
                   }),
      cluster.error("d"));
  CHECK(cluster.id("d") == raft::NodeId(2));
}

TEST_CASE("a founder that lost its directory is told so instead of founding once more") {
  PeerCluster cluster;
  REQUIRE(!cluster.leader().empty());
  REQUIRE(cluster.run_until([&] { return cluster["a"]->members()->front().started(); }));
  for (const char* name : {"a", "b", "c"}) REQUIRE(cluster[name].run_until_ready());
  REQUIRE(*cluster["c"].put("all", "published"));
  const std::string id = id_text(cluster.id("b"));
  cluster.kill("b");
  cluster.wipe("b");
  CHECK(!cluster.start("b"));
  CHECK(cluster.error("b") == "member " + id + " has already been bootstrapped");
}

TEST_CASE("a founder's peer URLs must be those that it advertises") {
  const auto error = [](std::vector<std::string> advertised) {
    PeerCluster cluster(0);
    Config& config = cluster.config("a") = small_config();
    config.name = "a";
    config.initial_cluster = {{"a", {"http://a:1", "http://a:2"}}};
    config.advertise_peer_urls = std::move(advertised);
    cluster.start("a");
    return cluster.error("a");
  };
  CHECK(error({"http://a:1"}) ==
        "--initial-cluster has a=http://a:2 but missing from "
        "--initial-advertise-peer-urls=http://a:1");
  CHECK(error({"http://a:1", "http://a:2", "http://a:3"}) ==
        "--initial-advertise-peer-urls has http://a:3 but missing from "
        "--initial-cluster=a=http://a:1,a=http://a:2");
  CHECK(error({"http://a:2", "http://a:1"}).empty());
}
