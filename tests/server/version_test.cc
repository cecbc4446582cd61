#include <doctest/doctest.h>

#include "peer_cluster.h"
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
  CHECK(cluster["a"]->status().storage_version.empty());

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
