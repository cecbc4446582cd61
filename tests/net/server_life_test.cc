// Listening, limits and ends of a server over real sockets.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "socket_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("a server that goes away fails the calls under way, and a new one is found again") {
  auto service = std::make_unique<Service>();
  const std::string address = service->address;
  Caller caller(address);
  Counter done;
  Result<SharedBytes> answer;
  caller.channel.unary(kHang, SharedBytes::copy("x"), [&](Result<SharedBytes> got) {
    answer = std::move(got);
    done.add();
  });
  REQUIRE(service->hanging.reaches(1));
  service->server.stop();
  REQUIRE(done.reaches(1));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kUnavailable);
  const auto refused = caller.call(kEcho, "x");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kUnavailable);
}

TEST_CASE("a graceful shutdown waits for the running call") {
  Service service;
  Caller caller(service.address);
  Counter done;
  Result<SharedBytes> answer;
  caller.channel.unary(kHang, SharedBytes::copy("x"), [&](Result<SharedBytes> got) {
    answer = std::move(got);
    done.add();
  });
  REQUIRE(service.hanging.reaches(1));
  std::thread stopper([&] { service.server.shutdown(30s); });
  std::this_thread::sleep_for(50ms);
  service.hung[0].reply.finish(SharedBytes::copy("in time"));
  stopper.join();
  REQUIRE(done.reaches(1));
  REQUIRE(answer);
  CHECK(answer->view() == "in time");
}

TEST_CASE("a listener of one protocol closes on the other") {
  SystemClock clock;
  NullLogger logger;
  Server server({}, clock, logger);
  const auto grpc = server.listen({"127.0.0.1:0", Protocols::kGrpcOnly});
  const auto http = server.listen({"127.0.0.1:0", Protocols::kHttpOnly});
  REQUIRE(grpc);
  REQUIRE(http);
  server.start();
  RawClient web(*grpc);
  web.say("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(web.hear_end());
  RawClient h2(*http);
  h2.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  CHECK(h2.hear_end());
}

TEST_CASE("connections above the limit are closed") {
  Service service({.max_connections = 1});
  Caller first(service.address);
  REQUIRE(first.call(kEcho, "x"));
  RawClient second(service.address);
  CHECK(second.hear_end());
  CHECK(first.call(kEcho, "y"));
}

TEST_CASE("a taken port and bad addresses are refused with one line") {
  SystemClock clock;
  NullLogger logger;
  Server first({}, clock, logger);
  const auto bound = first.listen({"127.0.0.1:0"});
  REQUIRE(bound);
  Server second({}, clock, logger);
  const auto taken = second.listen({*bound});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message == "listen tcp " + *bound + ": bind: address already in use");
  CHECK_FALSE(second.listen({"127.0.0.1"}));
  CHECK_FALSE(second.listen({"::1:80"}));
  CHECK_FALSE(second.listen({"unix:"}));
  CHECK_FALSE(second.listen({"unix:" + std::string(200, 'x')}));
}

TEST_CASE("unix sockets") {
  const std::string path = "/tmp/truss-net-test-" + std::to_string(::getpid());
  SystemClock clock;
  NullLogger logger;
  Server server({}, clock, logger);
  server.add_unary(kEcho, [](CallContext call, SharedBytes, UnaryReply reply) {
    reply.finish(SharedBytes::copy(call.peer()));
  });
  REQUIRE(server.listen({"unix:" + path}));
  server.start();
  Caller caller("unix:" + path);
  const auto answer = caller.call(kEcho, "x");
  REQUIRE(answer);
  CHECK(answer->view() == "@");
  server.stop();
  CHECK(::access(path.c_str(), F_OK) != 0);
}

}  // namespace
}  // namespace truss::net
