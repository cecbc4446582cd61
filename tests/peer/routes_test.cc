// Every answer of the peer port, as real 3.4 members give them.
#include "http_support.h"
#include "truss/peer/bodies.h"
#include "truss/peer/snapshot_envelope.h"
#include "truss/test_support/hex.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::peer;
using namespace truss::peer::testing;

namespace {

struct Port {
  Port() {
    station.local.removed = 0xdead;
    station.local.snap_dir = dir.path();
    station.knows(2, "http://127.0.0.1:1");
    station.start();
  }
  test_support::TempDir dir;
  Station station{1};
  Browser browser{station};
};

std::string posted(const raft::Message& m) { return raft::encoded(m, raft::MessageForm::k34); }

}  // namespace

TEST_CASE("the gate of raft traffic") {
  Port port;
  Browser& b = port.browser;
  for (const auto& [method, path] :
       {std::pair{"POST", "/raft"}, std::pair{"POST", "/raft/snapshot"},
        std::pair{"GET", "/raft/stream/message/2"}}) {
    CAPTURE(path);
    const std::string other = method == std::string("GET") ? "POST" : "GET";
    const auto refused = b.ask(other, path);
    REQUIRE(refused.has_value());
    CHECK(refused->status == 405);
    CHECK(refused->body == "Method Not Allowed\n");
    CHECK(refused->header("allow") == method);
    CHECK(refused->header("x-etcd-cluster-id").empty());

    CHECK(b.said(method, path) == "412 incompatible version\n");
    CHECK(
        b.said(method, path, {{"X-Server-Version", "3.4.0"}, {"X-Min-Cluster-Version", "3.5.0"}}) ==
        "412 incompatible version\n");
    CHECK(b.said(method, path, {{"X-Server-Version", "x"}}) == "412 incompatible version\n");
    const auto elsewhere = b.ask(method, path,
                                 {{"X-Server-Version", "3.9.0"},
                                  {"X-Min-Cluster-Version", "3.0.0"},
                                  {"X-Etcd-Cluster-Id", "0c"}});
    REQUIRE(elsewhere.has_value());
    CHECK(elsewhere->status == 412);
    CHECK(elsewhere->body == "cluster ID mismatch\n");
    CHECK(elsewhere->header("x-etcd-cluster-id") == "c");
    CHECK(elsewhere->header("content-type") == "text/plain; charset=utf-8");
    CHECK(elsewhere->header("x-content-type-options") == "nosniff");
  }
}

TEST_CASE("streams are refused in etcd's order") {
  Port port;
  Browser& b = port.browser;
  const auto get = [&](const std::string& path, net::Metadata more = {}) {
    return b.said("GET", path, passing(std::move(more)));
  };
  CHECK(get("/raft/stream/") == "404 invalid path\n");
  CHECK(get("/raft/stream/2") == "404 invalid path\n");
  CHECK(get("/raft/stream/other/2") == "404 invalid path\n");
  CHECK(get("/raft/stream/message/") == "404 invalid from\n");
  CHECK(get("/raft/stream/message/xyz") == "404 invalid from\n");
  CHECK(get("/raft/stream/message/2/3") == "404 invalid path\n");
  CHECK(get("/raft/stream/message/dead") == "410 removed member\n");
  CHECK(get("/raft/stream/message/77") == "404 error sender not found\n");
  CHECK(get("/raft/stream/msgapp/2") == "412 to field mismatch\n");
  CHECK(get("/raft/stream/msgapp/2", {{"X-Raft-To", "01"}}) == "412 to field mismatch\n");
  const auto refused = b.ask("GET", "/raft/stream/message/77", passing());
  REQUIRE(refused.has_value());
  CHECK(refused->header("x-server-version") == "3.4.23");
  const auto moved = b.ask("GET", "/raft/stream");
  REQUIRE(moved.has_value());
  CHECK(moved->status == 301);
  CHECK(moved->header("location") == "/raft/stream/");
}

TEST_CASE("POST /raft") {
  Port port;
  Browser& b = port.browser;
  const auto fine =
      b.ask("POST", "/raft", passing(), posted(message(raft::MessageType::kVote, 2, 1)));
  REQUIRE(fine.has_value());
  CHECK(fine->status == 204);
  CHECK(fine->body.empty());
  CHECK(port.station.sink.size() == 1);
  CHECK(b.said("POST", "/raft", passing(), "\xff\xff") == "400 error unmarshalling raft message\n");
  // Cut off without the last chunk: the client sees a broken connection, as from a real member.
  CHECK_FALSE(
      b.ask("POST", "/raft", passing(), posted(message(raft::MessageType::kVote, 0xdead, 1))));
  CHECK_FALSE(b.ask("POST", "/raft", passing(), posted(message(raft::MessageType::kVote, 2, 9))));
  CHECK(port.station.sink.size() == 1);
}

TEST_CASE("POST /raft/snapshot that is none") {
  Port port;
  Browser& b = port.browser;
  const auto post = [&](std::string body) {
    return b.said("POST", "/raft/snapshot", passing(), std::move(body));
  };
  std::string wrong;
  write_snapshot_envelope(message(raft::MessageType::kApp, 2, 1), raft::MessageForm::k34, wrong);
  CHECK(post(wrong + "db") == "400 wrong raft message type\n");
  CHECK(post("") == "400 failed to decode raft message (EOF)\n");
  CHECK(post(test_support::from_hex("0001")) ==
        "400 failed to decode raft message (unexpected EOF)\n");
  CHECK(post(wrong.substr(0, 12)) == "400 failed to decode raft message (unexpected EOF)\n");
  CHECK(post(test_support::from_hex("7fffffffffffffff")) ==
        "400 failed to decode raft message (rafthttp: error limit exceeded)\n");
  CHECK(post(test_support::from_hex("0000000000000001 ff"))
            .starts_with("400 failed to decode raft message ("));
  std::string right;
  write_snapshot_envelope(message(raft::MessageType::kSnap, 2, 1), raft::MessageForm::k34, right);
  // A database of no bytes is none.
  CHECK(post(right).starts_with("500 failed to save KV snapshot ("));
  CHECK(port.station.sink.size() == 0);
  CHECK(post(right + "db") == "204 ");
  CHECK(port.station.sink.size() == 1);
}

TEST_CASE("a body that stalls is answered, and its connection closed") {
  Options impatient;
  impatient.read_timeout = std::chrono::milliseconds(100);
  test_support::TempDir dir;
  Station station(1, impatient);
  station.local.snap_dir = dir.path();
  station.start();
  const auto stalls = [&](const std::string& path, const std::string& body) {
    return say_half(station.url, "POST " + path +
                                     " HTTP/1.1\r\nHost: x\r\nX-Server-Version: 3.4.23\r\n"
                                     "X-Min-Cluster-Version: 3.0.0\r\nX-Etcd-Cluster-Id: c\r\n"
                                     "Content-Length: 1000\r\n\r\n" +
                                     body);
  };
  CHECK(stalls("/raft", "abc") == "400 error reading raft message\n");
  CHECK(stalls("/raft/snapshot", "") == "400 failed to decode raft message (i/o timeout)\n");
  std::string right;
  write_snapshot_envelope(message(raft::MessageType::kSnap, 2, 1), raft::MessageForm::k34, right);
  CHECK(stalls("/raft/snapshot", right + "db") == "500 failed to save KV snapshot (i/o timeout)\n");
  CHECK(stalls("/leases", "abc") == "400 error reading body\n");
  CHECK(stalls("/members", "abc") == "405 Method Not Allowed\n");
  CHECK(station.sink.size() == 0);
}

TEST_CASE("probing, members and version ask for no header") {
  Port port;
  Browser& b = port.browser;
  CHECK(b.said("PUT", "/raft/probing").starts_with("200 {\"OK\":true,\"Now\":\""));
  const auto members = b.ask("GET", "/members");
  REQUIRE(members.has_value());
  CHECK(members->body == "[]\n");
  CHECK(members->header("content-type") == "application/json");
  CHECK(members->header("x-etcd-cluster-id") == "c");
  CHECK(b.said("POST", "/members") == "405 Method Not Allowed\n");
  CHECK(b.said("GET", "/members/") == "404 404 page not found\n");
  CHECK(b.said("GET", "/version") == R"(200 {"etcdserver":"3.4.23","etcdcluster":"3.4.0"})");
  CHECK(b.said("GET", "/nowhere") == "404 404 page not found\n");
  CHECK(b.said("GET", "/metrics") == "404 404 page not found\n");
  CHECK(b.said("GET", "/downgrade/enabled") == "404 404 page not found\n");
}

TEST_CASE("leases") {
  Port port;
  Browser& b = port.browser;
  const auto refused = b.ask("GET", "/leases");
  REQUIRE(refused.has_value());
  CHECK(refused->status == 405);
  CHECK(refused->header("allow").empty());
  CHECK(b.said("POST", "/leases", {}, renew_request(7)) == "200 " + renew_response(7, 60));
  CHECK(b.said("POST", "/leases", {}, renew_request(404)) == "404 lease not found\n");
  CHECK(b.said("POST", "/leases", {}, renew_request(408)) == "408 too late\n");
  CHECK(b.said("POST", "/leases", {}, renew_request(400)) == "400 not primary\n");
  CHECK(b.said("POST", "/leases", {}, "\xff") == "400 error unmarshalling request\n");
  CHECK(b.said("POST", "/leases", {}, std::string(70'000, 'x')) == "413 request body too large\n");
  CHECK(b.said("POST", "/leases/") == "404 404 page not found\n");
  CHECK(b.said("POST", "/leases/internal", {}, time_to_live_request({7, true})) ==
        "200 " + time_to_live_response({7, 50, 60, {"k"}}));
  CHECK(b.said("POST", "/leases/internal", {}, time_to_live_request({404, true})) ==
        "404 lease not found\n");
  CHECK(b.said("POST", "/leases/internal", {}, "") == "400 error unmarshalling request\n");
}

TEST_CASE("promotion") {
  Port port;
  Browser& b = port.browser;
  CHECK(b.said("GET", "/members/promote/1") == "405 Method Not Allowed\n");
  CHECK(b.said("POST", "/members/promote/7") == "200 []\n");
  CHECK(b.said("POST", "/members/promote/x7") == "404 member x7 not found in cluster\n");
  CHECK(b.said("POST", "/members/promote/404") == "404 membership: ID not found\n");
  CHECK(b.said("POST", "/members/promote/412") ==
        "412 membership: can only promote a learner member\n");
  CHECK(b.said("POST", "/members/promote/500") == R"(500 {"message":"Internal Server Error"})");
  const auto moved = b.ask("GET", "/members/promote");
  REQUIRE(moved.has_value());
  CHECK(moved->header("location") == "/members/promote/");
}

TEST_CASE("hashkv") {
  Port port;
  Browser& b = port.browser;
  const auto get = [&](std::string body, net::Metadata headers = {}) {
    return b.said("GET", "/members/hashkv", std::move(headers), std::move(body));
  };
  CHECK(get(R"({"revision":9})") ==
        R"(200 {"header":{"revision":276},"hash":3633481485,"compact_revision":120})");
  CHECK(get("") == "400 error unmarshalling request\n");
  CHECK(get("null").starts_with("200 "));
  CHECK(get(R"({"revision":null})").starts_with("200 "));
  CHECK(get(R"({"revision":101})") == "400 mvcc: required revision is a future revision\n");
  CHECK(get("{}", {{"X-Etcd-Cluster-Id", "d"}}) == "412 cluster ID mismatch\n");
  CHECK(get("{}", {{"X-Etcd-Cluster-Id", "c"}}).starts_with("200 "));
  CHECK(b.said("POST", "/members/hashkv", {}, "{}") == "405 Method Not Allowed\n");
}
