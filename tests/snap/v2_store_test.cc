#include "truss/snap/v2_store.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::snap;

namespace {

V2Membership membership() {
  V2Membership out;
  out.members = {{.id = raft::NodeId(0xcbc6d2d8580cc01),
                  .peer_urls = {"http://127.0.0.1:2380", "http://[::1]:2380"},
                  .is_learner = true,
                  .name = {},
                  .client_urls = {}},
                 {.id = raft::NodeId(0xee0b95727ec15dc7),
                  .peer_urls = {"http://10.0.0.1:2380"},
                  .is_learner = false,
                  .name = "a<b>&\"c\" \xe2\x80\xa8 \xff",
                  .client_urls = {"http://10.0.0.1:2379"}}};
  out.removed = {raft::NodeId(1), raft::NodeId(UINT64_MAX)};
  out.version = "3.4.0";
  return out;
}

/// A document whose Root has these children.
std::string document(const std::string& children) {
  return R"({"Root":{"Path":"/","Children":{)" + children +
         R"(}},"CurrentIndex":9,"CurrentVersion":2})";
}

std::string refusal(const std::string& json) {
  const auto result = parse_v2_store(json);
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

constexpr const char* kMembersOf =
    R"("0":{"Path":"/0","Children":{"members":{"Path":"/0/members","Children":{)";

}  // namespace

TEST_CASE("what is written is read again, ids exact to 64 bits") {
  V2Membership expected = membership();
  CHECK(parse_v2_store(write_v2_store({})).value() == V2Membership{});
  expected.members[1].name = "a<b>&\"c\" \xe2\x80\xa8 \xef\xbf\xbd";  // Go replaces invalid UTF-8
  CHECK(parse_v2_store(write_v2_store(membership())).value() == expected);
}

TEST_CASE("the document has etcd's shape") {
  const std::string json = write_v2_store(membership());
  CHECK(json.find(R"({"Root":{"Path":"/","CreatedIndex":0,"ModifiedIndex":0,)"
                  R"("ExpireTime":"0001-01-01T00:00:00Z","Value":"","Children":{"0":{)") == 0);
  CHECK(json.find(R"("cbc6d2d8580cc01":{"Path":"/0/members/cbc6d2d8580cc01")") !=
        std::string::npos);
  CHECK(json.find(R"("Value":"{\"peerURLs\":[\"http://127.0.0.1:2380\",\"http://[::1]:2380\"],)"
                  R"(\"isLearner\":true}","Children":null)") != std::string::npos);
  CHECK(json.find(R"(\"name\":\"a\\u003cb\\u003e\\u0026\\\"c\\\" \\u2028 \\ufffd\")") !=
        std::string::npos);
  CHECK(json.find(R"("/0/removed_members/ffffffffffffffff")") != std::string::npos);
  CHECK(json.find(R"("Capacity":1000)") != std::string::npos);
  std::size_t events = 0;
  const std::size_t begin = json.find("\"Events\":[") + 10;
  const std::string list = json.substr(begin, json.find(']', begin) - begin);
  for (std::size_t at = 0; (at = list.find("null", at)) != std::string::npos; ++at) ++events;
  CHECK(events == 1000);
  CHECK(json.ends_with(R"("watchers":0},"CurrentVersion":2})"));
}

TEST_CASE("a document of little more than the members is enough") {
  const auto read = parse_v2_store(document(
      std::string(kMembersOf) +
      R"("a":{"Path":"/0/members/a","Children":{"raftAttributes":{"Value":"{\"peerURLs\":null}"}}}}}}})"));
  REQUIRE(read.has_value());
  CHECK(read->members == std::vector<V2Member>{{raft::NodeId(10), {}, false, {}, {}}});
}

TEST_CASE("bad documents are refused with a place") {
  CHECK(refusal("").find("document: ") != std::string::npos);
  CHECK(refusal("[]").find("not an object") != std::string::npos);
  CHECK(refusal("{}").find("no Root") != std::string::npos);
  CHECK(refusal(R"({"Root":{)").find("at byte") != std::string::npos);
  CHECK(refusal(R"({"Root":{"Children":null}})").find("root is not a directory") !=
        std::string::npos);
  const std::string members = kMembersOf;
  CHECK(refusal(document(members + R"("xyz":{"Children":{}}}}}})"))
            .find("/0/members/xyz: not a member id") != std::string::npos);
  CHECK(refusal(document(members + R"("a":{"Children":{}}}}}})"))
            .find("/0/members/a: no raftAttributes") != std::string::npos);
  CHECK(refusal(document(members + R"("a":{"Children":{"odd":{"Value":""}}}}}}})"))
            .find("/0/members/a/odd: unknown attribute") != std::string::npos);
  CHECK(refusal(document(members +
                         R"("a":{"Children":{"raftAttributes":{"Value":"{\"peerURLs\":5}"}}}}}}})"))
            .find("peerURLs is not a list") != std::string::npos);
}

TEST_CASE("a member that is there twice is refused") {
  const std::string node = R"({"Children":{"raftAttributes":{"Value":"{}"}}})";
  CHECK(refusal(document(std::string(kMembersOf) + R"("a":)" + node + R"(,"0a":)" + node + "}}}}"))
            .find("/0/members: id a is there twice") != std::string::npos);
}

TEST_CASE("v2 keys are refused, empty v2 directories are not") {
  const auto v2 = parse_v2_store(
      document(R"("0":{"Children":{}},"1":{"Children":{"k":{"Value":"v","Children":null}}})"));
  REQUIRE_FALSE(v2.has_value());
  CHECK(v2.error().code == Code::kFailedPrecondition);
  CHECK(v2.error().message.find("there are v2 keys under /1") != std::string::npos);
  CHECK(
      parse_v2_store(document(R"("1":{"Children":{}},"2":{"Children":{"users":{"Children":{}}}})"))
          .has_value());
}

TEST_CASE("nesting to any depth exhausts no stack") {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += R"({"Children":{"x":)";
  CHECK(refusal(deep).find("at byte") != std::string::npos);
  deep = document(R"("1":)" + deep + "{}");
  CHECK_FALSE(parse_v2_store(deep).has_value());
  std::string closed;
  for (int i = 0; i < 100'000; ++i) closed += R"({"Children":{"x":)";
  closed += R"({"Children":{}})";
  for (int i = 0; i < 100'000; ++i) closed += "}}";
  CHECK(parse_v2_store(document(R"("1":)" + closed)).has_value());
}
