// The HTTP/1.1 client session without sockets: requests out, responses in, limits.
#include <doctest/doctest.h>

#include <string>

#include "http1_client_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file
using Kind = HttpExchangeState::Kind;

/// What the reader of a GET is told when the server says `bytes` and then ends.
std::string heard(ByteView bytes, std::size_t cut = std::string::npos, Kind kind = Kind::kOpen,
                  const std::string& method = "GET") {
  ClientWire wire;
  HttpCall call;
  call.method = method;
  call.max_response_bytes = 100;
  wire.begin(kind, call);
  wire.sent();
  wire.say(bytes.substr(0, cut));
  if (cut < bytes.size()) wire.say(bytes.substr(cut));
  if (!wire.session.finished()) wire.session.receive_end();
  CHECK(wire.told->ends <= 1);
  return wire.told->text;
}

TEST_CASE("a request has what a server needs, in a fixed order") {
  ClientWire wire;
  wire.begin(Kind::kFetch, {.method = "POST",
                            .url = "http://[::1]:2380/raft?x=1",
                            .headers = {{"X-Server-From", "ab"}},
                            .body = "hello"});
  CHECK(wire.sent() ==
        "POST /raft?x=1 HTTP/1.1\r\nHost: [::1]:2380\r\nUser-Agent: truss/0.1\r\n"
        "Content-Length: 5\r\nX-Server-From: ab\r\nAccept-Encoding: identity\r\n\r\nhello");
}

TEST_CASE("what would split the request is refused") {
  const auto head_of = [](HttpCall call) {
    HttpExchangeState exchange(nullptr, Kind::kFetch, std::move(call));
    return request_head(exchange, "ua").has_value();
  };
  CHECK(head_of({.headers = {{"X-A", "b c\xc3\xa4"}}}));
  CHECK_FALSE(head_of({.headers = {{"X-A", "b\r\nEvil: 1"}}}));
  CHECK_FALSE(head_of({.headers = {{"X A", "b"}}}));
  CHECK_FALSE(head_of({.headers = {{"", "b"}}}));
  CHECK_FALSE(head_of({.headers = {{"Content-Length", "9"}}}));
  CHECK_FALSE(head_of({.headers = {{"transfer-encoding", "chunked"}}}));
  CHECK_FALSE(head_of({.method = "GET /x HTTP/1.1\r\n"}));
}

TEST_CASE("responses of every framing, split at every byte") {
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n3;x=y\r\n wo\r\n0\r\nTrailer: t\r\n\r\n";
  const std::string early = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + chunked;
  const std::string sized = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone";
  const std::string to_end = "HTTP/1.0 200 OK\r\n\r\nuntil the end";
  const std::string none = "HTTP/1.1 204 No Content\r\n\r\n";
  for (std::size_t cut = 0; cut <= early.size(); ++cut) {
    CAPTURE(cut);
    CHECK(heard(chunked, cut) == "200 [transfer-encoding=chunked] |hello wo| end");
    CHECK(heard(early, cut) == "200 [transfer-encoding=chunked] |hello wo| end");
    CHECK(heard(sized, cut) == "404 [content-length=4] |gone| end");
    CHECK(heard(to_end, cut) == "200 |until the end| end");
    CHECK(heard(none, cut) == "204 || end");
  }
}

TEST_CASE("an end in the middle is told from the last chunk") {
  CHECK(heard("") == "| Unavailable");
  CHECK(heard("HTTP/1.1 200 OK\r\nX: y\r\n") == "| Unavailable");
  CHECK(heard("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour") ==
        "200 [content-length=9] |four| Unavailable");
  const std::string chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n";
  CHECK(heard(chunk) == "200 [transfer-encoding=chunked] |four| Unavailable");
  CHECK(heard(chunk + "0\r\n") == "200 [transfer-encoding=chunked] |four| Unavailable");
  CHECK(heard("HTTP/1.1 100 Continue\r\n\r\n") == "| Unavailable");
}

TEST_CASE("a HEAD has no body whatever its fields say") {
  CHECK(heard("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 0, Kind::kFetch, "HEAD") ==
        "200 [content-length=9] || end");
}

TEST_CASE("answers that never have a body have none whatever their fields say") {
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  for (const char* field :
       {"Content-Length: 9", "Transfer-Encoding: chunked", "Transfer-Encodingx: y"}) {
    CAPTURE(field);
    const std::string fields = std::string(" X\r\n") + field + "\r\n\r\n";
    CHECK(heard("HTTP/1.1 103" + fields + ok) == "200 [content-length=2] |ok| end");
    CHECK(heard("HTTP/1.1 304" + fields).ends_with("|| end"));
    CHECK(heard("HTTP/1.1 204" + fields).ends_with("|| end"));
  }
}

TEST_CASE("what isn't HTTP/1.1, or contradicts itself, is refused") {
  for (const char* bad : {
           "nonsense\r\n\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX y: 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX: a\x01z\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
       }) {
    CAPTURE(bad);
    CHECK(heard(bad) == "| Internal");
  }
}

TEST_CASE("bad chunks end the body with an error") {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* bad : {"x\r\n", "\r\n", "-1\r\n", "11111111111111111\r\n", "2\r\nabc\r\n",
                          "ffffffffffffffff0\r\n"}) {
    CAPTURE(bad);
    const std::string got = heard(head + bad);
    CHECK(got.ends_with("| Internal"));
  }
}

TEST_CASE("headers, bodies and preliminary answers are bounded") {
  ClientWire wire({.max_header_bytes = 100});
  wire.begin(Kind::kOpen);
  wire.say("HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x'));
  CHECK(wire.told->text == "| ResourceExhausted");
  CHECK(wire.session.finished());

  const std::string big = "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'b');
  CHECK(heard(big, 0, Kind::kFetch).ends_with("| ResourceExhausted"));
  CHECK(heard(big).ends_with("| end"));

  std::string many;
  for (int i = 0; i < 6; ++i) many += "HTTP/1.1 102 Processing\r\n\r\n";
  CHECK(heard(many) == "| Internal");
}

TEST_CASE("trailers are bounded, too") {
  ClientWire wire({.max_header_bytes = 100});
  wire.begin(Kind::kOpen);
  wire.sent();
  wire.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: " + std::string(200, 't'));
  CHECK(wire.told->text == "200 [transfer-encoding=chunked] || ResourceExhausted");
}

TEST_CASE("a fetch leaves the connection for the next, others close it") {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  ClientWire wire;
  wire.begin(Kind::kFetch);
  wire.sent();
  wire.say(answer);
  CHECK(wire.told->text == "200 [content-length=2] |ok| end");
  CHECK(wire.idles == 1);
  CHECK(wire.session.idle());
  wire.begin(Kind::kFetch);
  wire.sent();
  wire.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  CHECK(wire.told->text == "200 [connection=close] [content-length=0] || end");
  CHECK(wire.idles == 1);
  CHECK(wire.session.finished());

  ClientWire stream;
  stream.begin(Kind::kOpen);
  stream.sent();
  stream.say(answer);
  CHECK(stream.idles == 0);
  CHECK(stream.session.finished());
}

TEST_CASE("bytes that nobody asked for end a kept connection") {
  ClientWire wire;
  wire.begin(Kind::kFetch);
  wire.sent();
  wire.say("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
  CHECK(wire.told->text == "204 || end");
  CHECK(wire.session.finished());
}

TEST_CASE("a kept connection that the server had closed: repeated if that can do no harm") {
  for (const bool post : {false, true}) {
    for (const bool repeatable : {false, true}) {
      ClientWire wire;
      wire.begin(Kind::kFetch);
      wire.sent();
      wire.say("HTTP/1.1 204 No Content\r\n\r\n");
      HttpCall call;
      call.method = post ? "POST" : "GET";
      call.repeatable = repeatable;
      wire.begin(Kind::kFetch, call);
      wire.sent();
      wire.session.receive_end();
      CHECK(wire.repeats == (post && !repeatable ? 0 : 1));
      CHECK(wire.told->text == (post && !repeatable ? "| Unavailable" : ""));
    }
  }
  ClientWire fresh;
  fresh.begin(Kind::kFetch);
  fresh.session.receive_end();
  CHECK(fresh.repeats == 0);
}

TEST_CASE("each limit in time ends the exchange with its own words") {
  ClientWire silent;
  silent.begin(Kind::kOpen, {.times = {.read = 5s}});
  silent.sent();
  silent.clock.advance(4s);
  silent.say("HTTP/1.1 200 OK\r\n\r\n");
  silent.clock.advance(4s);
  silent.session.on_time(silent.clock.now());
  CHECK(silent.told->ends == 0);
  silent.clock.advance(1s);
  silent.session.on_time(silent.clock.now());
  CHECK(silent.told->text == "200 || DeadlineExceeded");

  ClientWire paused;
  const auto exchange = paused.begin(Kind::kOpen, {.times = {.read = 5s}});
  paused.sent();
  exchange->paused = true;
  CHECK_FALSE(paused.session.wants_input());
  CHECK(paused.session.next_time() == std::nullopt);
  paused.clock.advance(100s);
  exchange->paused = false;
  paused.session.resumed();
  CHECK(paused.session.next_time() == paused.clock.now() + 5s);

  ClientWire slow;
  slow.begin(Kind::kFetch, {.times = {.response = 10s}});
  CHECK(slow.session.next_time() == std::nullopt);
  slow.sent();
  slow.clock.advance(6s);
  slow.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  slow.clock.advance(4s);
  slow.session.on_time(slow.clock.now());
  CHECK(slow.told->text == "200 [content-length=5] |ab| DeadlineExceeded");
}

TEST_CASE("an idle connection retires in time") {
  ClientWire wire({.idle_timeout = 4s});
  wire.begin(Kind::kFetch);
  wire.sent();
  wire.say("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(wire.session.next_time() == wire.clock.now() + 4s);
  wire.clock.advance(4s);
  wire.session.on_time(wire.clock.now());
  CHECK(wire.session.finished());
}

TEST_CASE("an upload is pulled piece by piece, and waits when told so") {
  ClientWire wire;
  const auto source = std::make_shared<GivenSource>();
  source->next = "hello";
  wire.begin(Kind::kUpload, {.method = "POST"}, source);
  CHECK(wire.sent().ends_with("Accept-Encoding: identity\r\n\r\n5\r\nhello\r\n"));
  const int pulls = source->pulls;
  CHECK(wire.sent().empty());
  CHECK(source->pulls == pulls);
  source->next = std::string(20, 'x');
  wire.session.body_ready();
  CHECK(wire.sent() == "14\r\n" + std::string(20, 'x') + "\r\n");
  source->ended = true;
  wire.session.body_ready();
  CHECK(wire.sent() == "0\r\n\r\n");
  wire.say("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(wire.told->text == "204 || end");
  CHECK(wire.session.finished());
}

TEST_CASE("an answer before the body is through ends the sending") {
  ClientWire wire;
  const auto source = std::make_shared<GivenSource>();
  wire.begin(Kind::kUpload, {.method = "POST"}, source);
  wire.sent();
  wire.say("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 3\r\n\r\n");
  source->next = "more";
  wire.session.body_ready();
  CHECK(wire.sent().empty());
  wire.say("bad");
  CHECK(wire.told->text == "412 [content-length=3] |bad| end");
  CHECK(wire.session.finished());
}

TEST_CASE("a source that fails cuts the body and passes its error on") {
  ClientWire wire;
  const auto source = std::make_shared<GivenSource>();
  wire.begin(Kind::kUpload, {.method = "POST"}, source);
  wire.sent();
  source->broken = true;
  wire.session.body_ready();
  CHECK(wire.sent().empty());
  CHECK(wire.told->text == "| DataLoss");
  CHECK(wire.told->message == "POST http://server:1/path: disk gone");
  CHECK(wire.session.finished());
}

}  // namespace
}  // namespace truss::net
