// Pings, limits and ends of a gRPC server session, without sockets.
#include <doctest/doctest.h>

#include "grpc_session_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("pings: three too many in short order end the connection") {
  Echo net;
  net.client.call(kStream, "x", {}, false);
  net.pump();
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(net.client.goaway);
    net.client.session.ping(1);
    net.pump();
    net.clock.advance(1s);
  }
  CHECK(net.client.goaway == Http2Code::kEnhanceYourCalm);
  CHECK(net.client.goaway_text == "too_many_pings");
  CHECK(net.session().finished());
}

TEST_CASE("pings at the allowed pace, and probes after data, are welcome") {
  Echo net;
  net.client.call(kStream, "x", {}, false);
  net.pump();
  for (int i = 0; i < 20; ++i) {
    net.client.session.ping(1);
    net.pump();
    net.clock.advance(5s);
  }
  for (int i = 0; i < 20; ++i) {
    net.client.call(kEcho, "x");
    net.client.session.ping(1);
    net.pump();
  }
  CHECK_FALSE(net.client.goaway);
  CHECK(net.client.pings_acked == 40);
}

TEST_CASE("pings without a call are strikes however slow") {
  Echo net;
  net.pump();
  for (int i = 0; i < 4; ++i) {
    net.client.session.ping(1);
    net.pump();
    net.clock.advance(60s);
  }
  CHECK(net.client.goaway == Http2Code::kEnhanceYourCalm);
}

TEST_CASE("a silent client is pinged, and dropped if it stays silent") {
  Echo net({.keepalive_interval = 10s, .keepalive_timeout = 2s});
  net.pump();
  CHECK(*net.session().next_time() == net.clock.now() + 10s);
  net.clock.advance(10s);
  net.session().on_time(net.clock.now());
  CHECK(*net.session().next_time() == net.clock.now() + 2s);
  SUBCASE("an answer keeps it") {
    net.pump();
    CHECK(net.client.pings_received == 1);
    net.clock.advance(2s);
    net.session().on_time(net.clock.now());
    CHECK_FALSE(net.session().finished());
  }
  SUBCASE("silence ends it") {
    net.clock.advance(2s);
    net.session().on_time(net.clock.now());
    CHECK(net.session().finished());
  }
}

TEST_CASE("a client that never completes the handshake is dropped") {
  Echo net({.handshake_timeout = 5s});
  REQUIRE(net.session().receive("PRI * HTTP/2.0\r\n"));
  CHECK(*net.session().next_time() == net.clock.now() + 5s);
  net.clock.advance(5s);
  net.session().on_time(net.clock.now());
  CHECK(net.session().finished());
}

TEST_CASE("a graceful end lets the running call finish and takes no more") {
  Echo net;
  const Answer& running = net.client.call(kHold, "x");
  net.pump();
  net.session().begin_shutdown();
  net.pump();
  CHECK(net.client.goaway == Http2Code::kNoError);
  CHECK_FALSE(net.session().finished());
  net.held[0].finish(SharedBytes::copy("done"));
  net.pump();
  CHECK(running.data == framed("done"));
  CHECK(net.session().finished());
}

TEST_CASE("calls beyond the agreed number are refused, not the connection") {
  Echo net({.max_concurrent_streams = 2});
  std::vector<const Answer*> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(&net.client.call(kHold, "x"));
  net.pump();
  // The client knows the limit by now and holds the third back.
  CHECK(net.held.size() >= 2);
  net.held[0].finish(SharedBytes::copy("a"));
  net.pump();
  CHECK(answers[0]->status() == "0 ");
  CHECK_FALSE(net.client.goaway);
}

TEST_CASE("a lost connection cancels every call once") {
  Echo net;
  net.client.call(kHold, "x");
  net.client.call(kStream, "x", {}, false);
  net.pump();
  const CallContext unary = net.last_call;
  net.session().lost({Code::kCanceled, "gone"});
  CHECK(unary.cancelled());
  REQUIRE(net.probe->done);
  CHECK(net.probe->done->message == "gone");
  net.held[0].finish(SharedBytes::copy("late"));
  net.probe->stream.finish({Code::kOk, {}});
  net.mailbox->run_all();
}

TEST_CASE("client bytes split at every byte give the same server bytes") {
  std::string bytes;
  {
    Echo net;
    net.client.call(kEcho, "hello", {{"token", "t"}});
    net.client.call("/test.Echo/None", "x");
    net.client.session.pull(bytes, 1u << 20);
  }
  std::string expected;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    Echo net;
    REQUIRE(net.session().receive(ByteView(bytes).substr(0, cut)));
    REQUIRE(net.session().receive(ByteView(bytes).substr(cut)));
    net.mailbox->run_all();
    std::string out;
    net.session().pull(out, 1u << 20);
    if (cut == 0) expected = out;
    CHECK(out == expected);
  }
}

}  // namespace
}  // namespace truss::net
