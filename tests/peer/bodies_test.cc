#include "truss/peer/bodies.h"

#include <doctest/doctest.h>

#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::peer;
using test_support::from_hex;

TEST_CASE("the members of a real member") {
  const auto members =
      parse_members(R"([{"id":503073152438355298,"peerURLs":["http://127.0.0.1:2380"],"name":"m1",)"
                    R"("clientURLs":["http://127.0.0.1:2379"]},{"id":18446744073709551615,)"
                    R"("peerURLs":["http://a:1","http://b:1"],"isLearner":true}])"
                    "\n");
  REQUIRE(members.has_value());
  CHECK(members->at(0) == MemberInfo{raft::NodeId(503073152438355298),
                                     {"http://127.0.0.1:2380"},
                                     false,
                                     "m1",
                                     {"http://127.0.0.1:2379"}});
  CHECK(members->at(1) ==
        MemberInfo{raft::NodeId(UINT64_MAX), {"http://a:1", "http://b:1"}, true, "", {}});
  CHECK(parse_members("[]").value().empty());
  for (const char* bad :
       {"", "{}", "[1]", "[{}]", R"([{"id":-1}])", R"([{"id":"1"}])", "[", R"([{"id":1e3}])"}) {
    CHECK_MESSAGE(!parse_members(bad), bad);
  }
}

TEST_CASE("versions") {
  CHECK(versions_json({"3.4.23", "3.4.0", std::nullopt}) ==
        R"({"etcdserver":"3.4.23","etcdcluster":"3.4.0"})");
  CHECK(versions_json({"3.6.14", "", ""}) ==
        R"({"etcdserver":"3.6.14","etcdcluster":"not_decided","storage":"unknown"})");
  const auto parsed =
      parse_versions(R"({"etcdserver":"3.6.1","etcdcluster":"not_decided","storage":"3.6.0"})");
  REQUIRE(parsed.has_value());
  CHECK(parsed->server == "3.6.1");
  CHECK(parsed->cluster.empty());
  CHECK(parsed->storage == "3.6.0");
  CHECK_FALSE(parse_versions(R"({"etcdcluster":"3.4.0"})"));
}

TEST_CASE("hashkv, as a real member answers") {
  CHECK(hash_kv_json({276, 3633481485, 120, 276}, false) ==
        R"({"header":{"revision":276},"hash":3633481485,"compact_revision":120})");
  CHECK(hash_kv_json({276, 3633481485, 0, 276}, true) ==
        R"({"header":{"revision":276},"hash":3633481485,"hash_revision":276})");
  CHECK(hash_kv_json({}, false) == R"({"header":{}})");
  const HashKv hash = parse_hash_kv(hash_kv_json({276, 3633481485, 120, 7}, true)).value();
  CHECK(hash.current_revision == 276);
  CHECK(hash.hash == 3633481485);
  CHECK(hash.compact_revision == 120);
  CHECK(hash.hash_revision == 7);
  CHECK(hash_kv_request_json(0) == "{}");
  CHECK(hash_kv_request_json(9) == R"({"revision":9})");
  CHECK(parse_hash_kv_request("{}").value() == 0);
  CHECK(parse_hash_kv_request(R"({"revision":-9})").value() == -9);
  CHECK_FALSE(parse_hash_kv_request(""));
  CHECK_FALSE(parse_hash_kv_request(R"({"revision":"9"})"));
}

TEST_CASE("lease messages have the sizes of a real member's") {
  const std::int64_t id = 0x694d7f8a2e6b5d02;  // nine bytes as a varint
  CHECK(renew_request(id).size() == 10);
  CHECK(parse_renew_request(renew_request(id)).value() == id);
  CHECK(renew_response(id, 60).size() == 12);
  CHECK(parse_renew_response(renew_response(id, 60), id).value() == 60);
  CHECK_FALSE(parse_renew_response(renew_response(id, 60), 1));
  CHECK_FALSE(parse_renew_request("\xff"));

  CHECK(parse_time_to_live_request(time_to_live_request({id, true})).value() ==
        TimeToLiveRequest{id, true});
  CHECK(time_to_live_response({id, 50, 60, {}}).size() == 18);
  const auto answer = parse_time_to_live_response(time_to_live_response({id, 50, 60, {"a", "b"}}));
  REQUIRE(answer.has_value());
  CHECK(answer->ttl_seconds == 50);
  CHECK(answer->granted_ttl_seconds == 60);
  CHECK(answer->keys == std::vector<std::string>{"a", "b"});
  // A negative TTL (an expired lease) is ten bytes.
  CHECK(parse_time_to_live_response(time_to_live_response({id, -1, 60, {}})).value().ttl_seconds ==
        -1);
  CHECK_FALSE(parse_time_to_live_request(""));
  CHECK_FALSE(parse_time_to_live_request(from_hex("0a05")));
}
