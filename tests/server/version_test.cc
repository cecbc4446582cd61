#include <doctest/doctest.h>

#include "peer_cluster.h"
#include "truss/server/errors.h"
#include "version_form.h"

/// How a cluster comes to its version, and in what form that is written.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

PolledVersions servers(std::initializer_list<const char*> versions) {
  PolledVersions out;
  for (const char* v : versions) {
    out.push_back(v == nullptr ? std::nullopt : std::optional(PeerVersion{v, "not_decided", ""}));
  }
  return out;
}

bool all_at(PeerCluster& cluster, std::initializer_list<const char*> names,
            const std::string& version) {
  return cluster.run_until([&] {
    return std::all_of(names.begin(), names.end(), [&](const char* name) {
      return cluster[name]->status().cluster_version == version;
    });
  });
}

constexpr const char* kNames[] = {"a", "b", "c"};

/// What member a answers: a version, or the text of the error.
std::string downgrade(PeerCluster& cluster, DowngradeAction action, const std::string& version) {
  const auto said = cluster.await<std::string>(
      [&](auto done) { cluster["a"]->downgrade(action, version, std::move(done)); });
  return said ? *said : said.error().message;
}

}  // namespace

TEST_CASE("the version's form: old while a 3.4 or 3.5 server may read it, never old for 3.7") {
  using enum VersionForm;
  CHECK(form_by_cluster(CompatLevel::k34, "3.4.0", true) == kLegacy);
  CHECK(form_by_cluster(CompatLevel::k35, "", false) == kLegacy);
  CHECK(form_by_cluster(CompatLevel::k36, "3.4.0", false) == kLegacy);
  CHECK(form_by_cluster(CompatLevel::k36, "3.5.0", false) == kLegacy);
  CHECK(form_by_cluster(CompatLevel::k36, "3.6.0", false) == kInternal);
  CHECK(form_by_cluster(CompatLevel::k36, "", true) == kInternal);
  CHECK(form_by_cluster(CompatLevel::k36, "", false) == std::nullopt);
  CHECK(form_by_cluster(CompatLevel::k36, "3.0.0", false) == std::nullopt);
  CHECK(form_by_servers(CompatLevel::k36, servers({"3.6.1", "3.4.23"})) == kLegacy);
  CHECK(form_by_servers(CompatLevel::k36, servers({"3.6.1", "3.6.14"})) == kInternal);
  CHECK(form_by_servers(CompatLevel::k36, servers({"3.6.1", nullptr})) == kLegacy);
  CHECK(form_by_servers(CompatLevel::k36, servers({"3.7.0", nullptr})) == kInternal);
  CHECK(form_by_servers(CompatLevel::k37, servers({"3.7.0", nullptr})) == kInternal);
}

TEST_CASE("a cluster agrees on the lowest release among its members, and rises with them") {
  PeerCluster cluster(
      3, [](Config& c) { c.compat = c.name == "b" ? CompatLevel::k34 : CompatLevel::k36; });
  REQUIRE(!cluster.leader().empty());
  CHECK(all_at(cluster, {"a", "b", "c"}, "3.4.0"));
  for (const char* name : {"a", "b", "c"}) CHECK(cluster[name].run_until_ready());
  // Not of its own: what a db with a term in it counts as.
  CHECK(cluster["a"]->status().storage_version == "3.5.0");

  cluster.kill("b");
  cluster.config("b").compat = CompatLevel::k36;
  REQUIRE_MESSAGE(cluster.start("b"), cluster.error("b"));
  CHECK(all_at(cluster, {"a", "b", "c"}, "3.6.0"));
  CHECK(cluster["b"]->status().storage_version == "3.6.0");
}

TEST_CASE("a new cluster of 3.6 members has no v2 request in its log, one with a 3.4 member has") {
  for (const CompatLevel other : {CompatLevel::k36, CompatLevel::k34}) {
    PeerCluster cluster(3, [&](Config& c) { c.compat = c.name == "b" ? other : CompatLevel::k36; });
    for (const char* name : {"a", "b", "c"}) REQUIRE(cluster[name].run_until_ready());
    cluster.world.run_for(std::chrono::seconds(1));
    // At 3.6 and above a member puts v2 requests behind a snapshot at once.
    CHECK(cluster["a"].logger().contains("saved snapshot") == (other == CompatLevel::k34));
  }
}

TEST_CASE("with a silent member a cluster is 3.0.0 until that one has told its release") {
  PeerCluster cluster(3, [](Config& c) { c.compat = CompatLevel::k35; });
  cluster.kill("c");
  REQUIRE(!cluster.leader().empty());
  CHECK(all_at(cluster, {"a", "b"}, "3.0.0"));
  REQUIRE(cluster["a"].run_until_ready());
  REQUIRE(cluster.start("c"));
  CHECK(all_at(cluster, {"a", "b", "c"}, "3.5.0"));
}

TEST_CASE("a downgrade lowers the version, and is over when every member runs the older release") {
  PeerCluster cluster(3, [](Config& c) { c.compat = CompatLevel::k36; });
  REQUIRE(!cluster.leader().empty());
  REQUIRE(all_at(cluster, {"a", "b", "c"}, "3.6.0"));
  CHECK(downgrade(cluster, DowngradeAction::kCancel, "") == "3.6");  // nothing to end
  CHECK(downgrade(cluster, DowngradeAction::kValidate, "3.5.7") == "3.6");
  CHECK(downgrade(cluster, DowngradeAction::kEnable, "3") ==
        errors::downgrade_version_format().message);
  CHECK(downgrade(cluster, DowngradeAction::kEnable, "3.4") == errors::downgrade_target().message);
  CHECK(downgrade(cluster, DowngradeAction::kEnable, "3.6") == errors::downgrade_target().message);
  CHECK(downgrade(cluster, DowngradeAction::kEnable, "3.5").starts_with("3."));
  REQUIRE(all_at(cluster, {"a", "b", "c"}, "3.5.0"));
  CHECK(downgrade(cluster, DowngradeAction::kEnable, "3.4") ==
        errors::downgrade_in_process().message);
  // It stays so while all servers are still of the newer release.
  cluster.world.run_for(std::chrono::seconds(10));
  for (const char* name : {"a", "b", "c"}) {
    const Status status = cluster[name]->status();
    CHECK(status.cluster_version == "3.5.0");
    CHECK(status.storage_version == "3.5.0");
    CHECK(status.downgrade == schema::Downgrade{"3.5.0", true});
    CHECK(cluster[name].logger().contains("saved snapshot"));
  }
  for (const char* name : {"a", "b", "c"}) {
    CHECK(cluster["a"]->status().downgrade.enabled);
    cluster.stop(name);
    cluster.config(name).compat.reset();  // what the directory says
    REQUIRE_MESSAGE(cluster.start(name), cluster.error(name));
    REQUIRE(cluster[name].run_until_ready());
    CHECK(cluster[name]->level() == CompatLevel::k35);
  }
  CHECK(cluster.run_until([&] {
    return std::none_of(std::begin(kNames), std::end(kNames),
                        [&](const char* n) { return cluster[n]->status().downgrade.enabled; });
  }));
  CHECK(cluster["a"]->status().cluster_version == "3.5.0");
}

TEST_CASE("a downgrade that is cancelled leaves the cluster to rise again") {
  PeerCluster cluster(1, [](Config& c) { c.compat = CompatLevel::k36; });
  REQUIRE(!cluster.leader().empty());
  REQUIRE(all_at(cluster, {"a"}, "3.6.0"));
  REQUIRE(downgrade(cluster, DowngradeAction::kEnable, "3.5").starts_with("3."));
  REQUIRE(all_at(cluster, {"a"}, "3.5.0"));
  cluster.kill("a");
  REQUIRE(cluster.start("a"));
  CHECK(cluster["a"]->status().downgrade.enabled);
  REQUIRE(downgrade(cluster, DowngradeAction::kCancel, "") == "3.5");
  CHECK(all_at(cluster, {"a"}, "3.6.0"));
  CHECK(cluster["a"]->status().storage_version == "3.6.0");
  CHECK_FALSE(cluster["a"]->status().downgrade.enabled);
}

TEST_CASE("a member asked to run below its cluster's version refuses") {
  PeerCluster cluster(3, [](Config& c) { c.compat = CompatLevel::k36; });
  REQUIRE(!cluster.leader().empty());
  REQUIRE(all_at(cluster, {"a", "b", "c"}, "3.6.0"));
  cluster.stop("b");
  cluster.config("b").compat = CompatLevel::k35;
  CHECK(!cluster.start("b"));
  CHECK(cluster.error("b").find("would be a downgrade") != std::string::npos);
}

TEST_CASE("a member that meets a version above its own dies rather than misread what follows") {
  PeerCluster cluster(1, [](Config& c) { c.compat = CompatLevel::k34; });
  REQUIRE(!cluster.leader().empty());
  REQUIRE(cluster["a"].run_until_ready());
  std::string body;
  PbWriter(body).put_bytes(1, "3.5.0");
  cluster["a"]->propose(Op::kClusterVersionSet, body, [](const Result<ApplyResponse>&) {});
  REQUIRE(cluster.run_until([&] { return !cluster["a"].member().alive(); }));
  CHECK(cluster["a"].member().death().find("invalid downgrade") != std::string::npos);
}
