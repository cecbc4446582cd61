// HTTP/1.x of a server over real sockets.
#include <doctest/doctest.h>

#include <string>

#include "socket_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("HTTP/1.1 and gRPC share the port") {
  Service service;
  Caller caller(service.address);
  REQUIRE(caller.call(kEcho, "x"));
  RawClient web(service.address);
  web.say("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
  CHECK(web.hear("\r\n\r\nhealthy ok"));
  web.say("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(web.hear_end());
  RawClient noise(service.address);
  noise.say("what is this\r\n\r\n");
  CHECK(noise.hear_end());
  CHECK(noise.heard().empty());
  CHECK(caller.call(kEcho, "y"));
}

TEST_CASE("the service of a stream hears when its HTTP client leaves") {
  Service service;
  {
    RawClient web(service.address);
    web.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(web.hear("first\n"));
  }
  CHECK(service.left.reaches(1));
}

TEST_CASE("a client that never speaks, or stops in its header, is dropped in time") {
  Service service({.handshake_timeout = 50ms, .http_header_timeout = 50ms});
  RawClient mute(service.address);
  CHECK(mute.hear_end());
  RawClient slow(service.address);
  slow.say("GET /health HTTP/1.1\r\nHos");
  CHECK(slow.hear_end());
  RawClient half(service.address);
  half.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  CHECK(half.hear_end());
}

TEST_CASE(
    "a client that asks for much and reads nothing holds nobody up, nor the server's memory") {
  Service service;
  RawClient greedy(service.address);
  // Nothing of the answers is read, so the server stops reading the questions, too.
  const std::string question =
      "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n" + std::string(4000, 'q');
  std::size_t said = 0;
  while (said < (64u << 20) && greedy.try_say(question)) said += question.size();
  CHECK(said < (64u << 20));
  Caller caller(service.address);
  CHECK(caller.call(kEcho, "x"));
}

}  // namespace
}  // namespace truss::net
