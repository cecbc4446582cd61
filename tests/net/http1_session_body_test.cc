// Streaming replies and request bodies of the HTTP/1.x server session, without sockets.
#include <doctest/doctest.h>

#include <string>

#include "http1_session_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

constexpr ByteView kHold = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr ByteView kBody = "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_CASE("a reply cut in its middle has no last chunk, and the connection closes") {
  Web web;
  web.say(kHold);
  web.held.begin(500, {});
  web.held.write("error");
  web.held.abort();
  const std::string got = web.hear();
  CHECK(got.starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  CHECK(got.ends_with("\r\n\r\n5\r\nerror\r\n"));
  CHECK(web.server().finished());
  CHECK(web.gone == 0);
  CHECK(web.held.closed());
  CHECK(web.held.write("more") == 0);
}

TEST_CASE("a reply cut before it began says nothing") {
  Web web;
  web.say(kHold);
  web.held.abort();
  web.held.send(200, {}, "too late");
  CHECK(web.hear().empty());
  CHECK(web.server().finished());
}

TEST_CASE("a stream that is ended leaves the connection for the next request") {
  Web web;
  web.say(kHold);
  web.held.begin(200, {});
  web.held.write("one");
  web.hear();
  web.held.end();
  CHECK(web.hear() == "0\r\n\r\n");
  CHECK_FALSE(web.server().finished());
  CHECK(web.say("GET /tree/ HTTP/1.1\r\nHost: x\r\n\r\n") == ok("", "tree /tree/"));
}

TEST_CASE("unsent bytes count until the kernel has them") {
  Web web;
  web.say(kHold);
  web.held.begin(200, {});
  CHECK(web.held.write(std::string(1000, 'a')) == 1000);
  CHECK(web.held.write(std::string(500, 'b')) == 1500);
  web.mailbox->run_all();
  std::string out;
  web.server().pull(out, 1u << 20);
  CHECK(web.held.queued_bytes() == 1500);
  web.server().wrote(out.size() - 200);
  CHECK(web.held.queued_bytes() > 0);
  CHECK(web.held.queued_bytes() <= 200);
  web.server().wrote(200);
  CHECK(web.held.queued_bytes() == 0);
}

TEST_CASE("a held body stops the reading until it is taken up again") {
  Web web;
  web.say(kBody);
  web.say("3\r\nabc\r\n");
  CHECK(web.server().wants_input());
  web.held.pause_body(true);
  CHECK_FALSE(web.server().wants_input());
  web.say("3\r\ndef\r\n");  // was read already
  CHECK(web.body == "abc|def|");
  web.held.pause_body(false);
  web.hear();
  CHECK(web.server().wants_input());
  web.say("0\r\n\r\n");
  CHECK(web.body == "abc|def|$");
}

TEST_CASE("a silent client is dropped: in its header, in its body, and between requests") {
  const auto silent_after = [](ByteView bytes) {
    Web web;
    web.options.http_read_timeout = 5s;
    web.say(bytes);
    const MonoTime said = web.clock.now();
    CHECK(web.server().next_time() == said + 5s);
    web.clock.advance(4s);
    web.server().on_time(web.clock.now());
    CHECK_FALSE(web.server().finished());
    web.clock.advance(1s);
    web.server().on_time(web.clock.now());
    return web.server().finished() && web.hear().empty();
  };
  CHECK(silent_after(""));
  CHECK(silent_after("GET /who"));
  CHECK(silent_after(kBody));
  CHECK(silent_after("GET /tree/ HTTP/1.1\r\nHost: x\r\n\r\n"));
}

TEST_CASE("a long answer and a held body are no silence of the client's") {
  Web web;
  web.options.http_read_timeout = 5s;
  web.say(kHold);
  CHECK(web.server().next_time() == std::nullopt);
  web.held.begin(200, {});
  web.hear();
  CHECK(web.server().next_time() == std::nullopt);

  Web body;
  body.options.http_read_timeout = 5s;
  body.say(kBody);
  body.held.pause_body(true);
  CHECK(body.server().next_time() == std::nullopt);
  body.clock.advance(60s);
  body.held.pause_body(false);
  body.hear();
  CHECK(body.server().next_time() == body.clock.now() + 5s);
}

TEST_CASE("a body that stalls may be answered, and what comes after that is not heard") {
  Web web;
  web.options.http_read_timeout = 5s;
  web.say(kBody);
  web.held.on_stall([&] { web.held.send(400, {}, "too slow"); });
  web.say("3\r\nabc\r\n");
  web.clock.advance(5s);
  web.server().on_time(web.clock.now());
  const std::string answer = web.say("3\r\ndef\r\n0\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 400 "));
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\ntoo slow"));
  CHECK(web.body == "abc|");
  CHECK(web.server().finished());
}

TEST_CASE("a stalled body that is wanted whole comes as far as it got") {
  Web web;
  web.options.http_read_timeout = 5s;
  web.say("POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
  web.clock.advance(5s);
  web.server().on_time(web.clock.now());
  CHECK(web.hear().ends_with("POST  he stalled"));
  CHECK(web.server().finished());
}

TEST_CASE("a body that stalls is told to its handler as a client that left") {
  Web web;
  web.options.http_read_timeout = 5s;
  web.say(kBody);
  int gone = 0;
  web.held.on_disconnect([&] { ++gone; });
  web.say("3\r\nabc\r\n");
  web.clock.advance(5s);
  web.server().on_time(web.clock.now());
  CHECK(gone == 1);
  CHECK(web.body == "abc|");
}

}  // namespace
}  // namespace truss::net
