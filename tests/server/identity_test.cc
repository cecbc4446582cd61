#include <doctest/doctest.h>

#include "truss/server/compat.h"
#include "truss/server/config.h"
#include "truss/server/member.h"

using namespace truss;
using namespace truss::server;

TEST_CASE("ids are those that real etcd computes") {
  const auto single = compute_member_id({"http://127.0.0.1:24801"}, "fix-single");
  CHECK(id_text(single) == "d906e0ff60cc6fb6");
  CHECK(id_text(compute_cluster_id({single})) == "47c1bde17c5aa47f");

  const auto c1 = compute_member_id({"http://127.0.0.1:24820"}, "fix-cluster");
  const auto c2 = compute_member_id({"http://127.0.0.1:24821"}, "fix-cluster");
  const auto c3 = compute_member_id({"http://127.0.0.1:24822"}, "fix-cluster");
  CHECK(id_text(c1) == "c028dbc95b91c270");
  CHECK(id_text(c2) == "95b01bcc5da1ac85");
  CHECK(id_text(c3) == "15f69813d71a9369");
  CHECK(id_text(compute_cluster_id({c1, c2, c3})) == "b6b45e612407a135");
  CHECK(compute_cluster_id({c3, c1, c2}) == compute_cluster_id({c1, c2, c3}));
}

TEST_CASE("the order of URLs does not matter to a member id, the time does") {
  const auto id = compute_member_id({"http://b:1", "http://a:1"}, "t");
  CHECK(id == compute_member_id({"http://a:1", "http://b:1"}, "t"));
  CHECK(id != compute_member_id({"http://a:1", "http://b:1"}, "t", 1));
}

TEST_CASE("ids are written in hex without leading zeros") {
  CHECK(id_text(std::uint64_t{0}) == "0");
  CHECK(id_text(std::uint64_t{0x0abc}) == "abc");
  CHECK(id_text(UINT64_MAX) == "ffffffffffffffff");
}

TEST_CASE("member JSON is Go's, byte for byte") {
  Member m{.id = raft::NodeId(15638434143535919030ULL),
           .peer_urls = {"http://127.0.0.1:24801"},
           .name = "s1"};
  CHECK(member_json(m) ==
        R"({"id":15638434143535919030,"peerURLs":["http://127.0.0.1:24801"],"name":"s1"})");
  m.is_learner = true;
  m.name = "a<b>&\"\n";
  m.client_urls = {"http://c:1", "http://c:2"};
  CHECK(member_json(m) ==
        R"({"id":15638434143535919030,"peerURLs":["http://127.0.0.1:24801"],"isLearner":true,)"
        "\"name\":\"a\\u003cb\\u003e\\u0026\\\"\\n\","
        R"("clientURLs":["http://c:1","http://c:2"]})");
  const auto read = parse_member_json(member_json(m));
  REQUIRE(read);
  CHECK(read->member == m);
  CHECK(!read->is_promote);
}

TEST_CASE("a promotion's context has no URLs and a flag") {
  const std::string json = promote_json(raft::NodeId(UINT64_MAX));
  CHECK(json == R"({"id":18446744073709551615,"peerURLs":null,"isPromote":true})");
  const auto read = parse_member_json(json);
  REQUIRE(read);
  CHECK(read->member.id == raft::NodeId(UINT64_MAX));
  CHECK(read->is_promote);
}

TEST_CASE("broken member JSON is refused") {
  for (const char* text : {"", "{", "[]", "{}", R"({"id":-1})", R"({"id":"1"})", R"({"id":1.5})",
                           R"({"id":1,"peerURLs":"x"})", R"({"id":1,"peerURLs":[1]})",
                           R"({"id":1,"name":2})", R"({"id":1,"isLearner":"no"})"}) {
    CAPTURE(text);
    const auto read = parse_member_json(text);
    REQUIRE(!read);
    CHECK(read.error().code == Code::kCorruption);
  }
}

TEST_CASE("published attributes leave out what is empty") {
  CHECK(attributes_json("n", {"http://c"}) == R"({"name":"n","clientURLs":["http://c"]})");
  CHECK(attributes_json("", {"http://c"}) == R"({"clientURLs":["http://c"]})");
  CHECK(attributes_json("n", {}) == R"({"name":"n"})");
  CHECK(attributes_json("", {}) == "{}");
  const auto read = parse_attributes_json(R"({"name":"n","clientURLs":["http://c"]})");
  REQUIRE(read);
  CHECK(read->name == "n");
  CHECK(read->client_urls == std::vector<std::string>{"http://c"});
}

TEST_CASE("levels and versions") {
  CHECK(parse_compat_level("3.4") == CompatLevel::k34);
  CHECK(parse_compat_level("3.7") == CompatLevel::k37);
  CHECK(!parse_compat_level("3.8"));
  CHECK(!parse_compat_level("3.4.0"));
  CHECK(server_version(CompatLevel::k36) == "3.6.14");
  CHECK(cluster_version_of(CompatLevel::k34) == "3.4.0");
  CHECK(parse_version("3.4.23") == Version{3, 4, 23});
  CHECK(parse_version("3.6.0-rc.1") == Version{3, 6, 0});
  CHECK(!parse_version("3.4"));
  CHECK(!parse_version("3.4.x"));
  CHECK(!parse_version("3.4.1.2"));
  CHECK(version_of(CompatLevel::k37).minor_only().text() == "3.7.0");
}

TEST_CASE("initial cluster texts") {
  const auto cluster = parse_initial_cluster("a=http://h1:1,b=http://h2:1,a=http://h3:1");
  REQUIRE(cluster);
  CHECK(cluster->size() == 2);
  CHECK(cluster->at("a") == std::vector<std::string>{"http://h1:1", "http://h3:1"});
  CHECK(parse_initial_cluster("")->empty());
  CHECK(!parse_initial_cluster("a"));
  CHECK(!parse_initial_cluster("=http://x"));
  CHECK(!parse_initial_cluster("a="));
}
