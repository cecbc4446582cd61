// The HTTP/1.x server session without sockets.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "http1_session_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("a whole answer, split at every byte of the request") {
  const std::string request =
      "POST /whole?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t cut = 0; cut <= request.size(); ++cut) {
    CAPTURE(cut);
    Web web;
    std::string got = web.say(ByteView(request).substr(0, cut));
    got += web.say(ByteView(request).substr(cut));
    CHECK(got == ok("Content-Type: text/plain\r\n", "POST a=b hello"));
    CHECK_FALSE(web.server().finished());
  }
}

TEST_CASE("pipelined requests are answered in order") {
  Web web;
  const std::string got =
      web.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /tree/a%20b HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(got.empty());
  web.held.send(200, {}, "first");
  CHECK(web.hear() == ok("", "first") + ok("", "tree /tree/a b"));
}

TEST_CASE("connections close when asked, and after HTTP/1.0") {
  Web close;
  CHECK(close.say("GET /tree/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") ==
        ok("", "tree /tree/", "Connection: close\r\n"));
  CHECK(close.server().finished());
  Web old;
  CHECK(old.say("GET /tree/ HTTP/1.0\r\n\r\n") ==
        "HTTP/1.0 200 OK\r\n" + kDate + "Content-Length: 11\r\n\r\ntree /tree/");
  CHECK(old.server().finished());
  Web kept;
  CHECK(kept.say("GET /tree/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") ==
        "HTTP/1.0 200 OK\r\n" + kDate +
            "Connection: keep-alive\r\nContent-Length: 11\r\n\r\ntree /tree/");
  CHECK_FALSE(kept.server().finished());
}

TEST_CASE("HEAD has the header only") {
  Web web;
  const std::string got = web.say("HEAD /tree/ HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(got == "HTTP/1.1 200 OK\r\n" + kDate + "Content-Length: 11\r\n\r\n");
}

TEST_CASE("what nobody serves is 404 as Go's mux says it") {
  Web web;
  CHECK(web.say("GET /none HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("404 page not found\n"));
  CHECK(web.say("GET /whole/ HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 404 Not Found"));
}

TEST_CASE("bad requests get 400 and a close; a header too large 431") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"},
      {"GET / HTTP/1.1\r\nbad\r\n\r\n", "400 Bad Request"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
       "501 Unsupported transfer encoding"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "400 Bad Request"},
      {"GET /" + std::string(2'000'000, 'x') + " HTTP/1.1\r\n",
       "431 Request Header Fields Too Large"},
  };
  for (const auto& [request, answer] : rows) {
    Web web;
    const std::string got = web.say(request);
    CHECK(got.starts_with("HTTP/1.1 " + answer.substr(0, 3)));
    const std::string body = answer.starts_with("501 ") ? answer.substr(4) : answer;
    CHECK(got.ends_with("\r\nConnection: close\r\n\r\n" + body));
    CHECK(web.server().finished());
  }
}

TEST_CASE("a body above the route's limit is said to be, and ends the connection") {
  Web web;
  CHECK(web.say("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd")
            .starts_with("HTTP/1.1 200"));
  CHECK(web.say("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabcde")
            .starts_with("HTTP/1.1 413"));
  CHECK(web.server().finished());
}

TEST_CASE("an answer in chunks, flushed piece by piece, with trailers") {
  Web web;
  CHECK(web.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n").empty());
  web.held.begin(200, {{"Content-Type", "application/json"}});
  CHECK(web.hear() == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + kDate +
                          "Transfer-Encoding: chunked\r\n\r\n");
  web.held.write("{\"result\":{}}\n");
  CHECK(web.hear() == "e\r\n{\"result\":{}}\n\r\n");
  web.held.write("");
  CHECK(web.hear().empty());
  web.held.end({{"Grpc-Trailer-X", "1"}});
  CHECK(web.hear() == "0\r\nGrpc-Trailer-X: 1\r\n\r\n");
  CHECK(web.held.closed());
  CHECK(web.gone == 0);
  CHECK(web.say("GET /tree/ HTTP/1.1\r\nHost: x\r\n\r\n") == ok("", "tree /tree/"));
}

TEST_CASE("an HTTP/1.0 client gets a stream without chunks") {
  Web web;
  web.say("GET /hold HTTP/1.0\r\n\r\n");
  web.held.begin(200, {});
  web.held.write("abc");
  web.held.end();
  CHECK(web.hear() == "HTTP/1.0 200 OK\r\n" + kDate + "\r\nabc");
  CHECK(web.server().finished());
}

TEST_CASE("the sender of a stream hears of a slow reader and of a lost one") {
  Web web;
  web.options.stream_high_water = 1000;
  web.options.stream_low_water = 100;
  web.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  web.held.begin(200, {});
  web.hear();
  CHECK(web.held.write(std::string(600, 'x')) == 600);
  CHECK(web.held.write(std::string(600, 'x')) == 1200);
  web.mailbox->run_all();
  std::string out;
  web.server().pull(out, 500);
  web.server().wrote(500);
  CHECK(web.writable == 0);
  web.server().pull(out, 5000);
  CHECK(web.writable == 0);
  web.server().wrote(out.size() - 500);
  CHECK(web.writable == 1);
  web.server().lost({Code::kCanceled, "gone"});
  CHECK(web.gone == 1);
  CHECK(web.held.closed());
  CHECK(web.held.write("more") == 0);
}

TEST_CASE("asking to hear of a disconnect after it happened") {
  Web web;
  web.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  web.server().lost({Code::kCanceled, "gone"});
  bool told = false;
  web.held.on_disconnect([&] { told = true; });
  web.mailbox->run_all();
  CHECK(told);
}

TEST_CASE("a streamed body comes in pieces while the answer is under way") {
  Web web;
  web.say("POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  CHECK(web.body == "abc|");
  web.held.begin(200, {});
  CHECK(web.hear().starts_with("HTTP/1.1 200 OK\r\n"));
  web.say("2\r\nde\r\n0\r\n\r\n");
  CHECK(web.body == "abc|de|$");
  web.held.end();
  CHECK(web.hear() == "0\r\n\r\n");
}

TEST_CASE("100-continue is granted") {
  Web web;
  CHECK(
      web.say(
          "POST /whole HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") ==
      "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(web.say("x").ends_with("POST  x"));
}

TEST_CASE("line breaks can't be smuggled into a header") {
  Web web;
  web.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  web.held.send(200, {{"X", "a\r\nEvil: 1"}}, "");
  CHECK(web.hear().find("X: a  Evil: 1\r\n") != std::string::npos);
}

TEST_CASE("the filter answers, or adds fields to every answer") {
  Web web;
  web.table.set_filter([](const HttpRequest& request, HttpReply& reply, Metadata& extra) {
    extra.emplace_back("Access-Control-Allow-Origin", "*");
    if (request.method != "OPTIONS") return false;
    reply.send(200, {}, "");
    return true;
  });
  const std::string cors = "Access-Control-Allow-Origin: *\r\n";
  CHECK(web.say("OPTIONS /whole HTTP/1.1\r\nHost: x\r\n\r\n") == ok(cors, ""));
  CHECK(web.say("GET /tree/ HTTP/1.1\r\nHost: x\r\n\r\n") == ok(cors, "tree /tree/"));
}

TEST_CASE("slow headers run out of time; an idle connection and a slow answer do not") {
  Web web;
  web.options.http_header_timeout = 10s;
  CHECK_FALSE(web.server().next_time());
  web.say("GET /ho");
  REQUIRE(web.server().next_time());
  web.clock.advance(9s);
  web.say("ld HTTP/1.1\r\nHo");
  web.clock.advance(1s);
  SUBCASE("too late") {
    web.server().on_time(web.clock.now());
    CHECK(web.server().finished());
  }
  SUBCASE("in time") {
    web.say("st: x\r\n\r\n");
    CHECK_FALSE(web.server().next_time());
    web.held.send(200, {}, "");
    web.hear();
    CHECK_FALSE(web.server().next_time());
  }
}

TEST_CASE("query values are decoded") {
  HttpRequest request;
  request.query = "exclude=NOSPACE&x=a%20b+c&exclude=CORRUPT&flag&=";
  CHECK(request.query_values("exclude") == std::vector<std::string>{"NOSPACE", "CORRUPT"});
  CHECK(request.query_value("x") == "a b c");
  CHECK(request.query_value("flag").empty());
  CHECK(request.query_value("none").empty());
}

TEST_CASE("a graceful end closes an idle connection, and a busy one after its answer") {
  Web idle;
  idle.server().begin_shutdown();
  CHECK(idle.server().finished());
  Web busy;
  busy.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  busy.server().begin_shutdown();
  CHECK_FALSE(busy.server().finished());
  busy.held.send(200, {}, "bye");
  CHECK(busy.hear() == ok("", "bye", "Connection: close\r\n"));
  CHECK(busy.server().finished());
}

}  // namespace
}  // namespace truss::net
