// Streams of the gRPC server session, without sockets.
#include <doctest/doctest.h>

#include "grpc_session_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("a bidirectional stream: messages, half-close, status with trailers") {
  Echo net;
  Answer& answer = net.client.call(kStream, "one", {}, false);
  answer.out().push(SharedBytes::copy("two"));
  net.pump();
  REQUIRE(net.probe);
  CHECK(net.probe->messages == std::vector<std::string>{"one", "two"});
  CHECK_FALSE(net.probe->half_closed);
  CHECK(answer.fields.empty());  // headers wait for the first message, as grpc-go's do
  net.probe->stream.send(SharedBytes::copy("reply"));
  net.pump();
  CHECK(answer.data == framed("reply"));
  CHECK_FALSE(answer.ended);
  net.client.session.end_body(answer, false);
  net.pump();
  CHECK(net.probe->half_closed);
  net.probe->stream.send(SharedBytes::copy("last"));
  net.probe->stream.finish({Code::kOk, {}}, {{"t", "1"}});
  net.pump();
  CHECK(answer.data == framed("reply") + framed("last"));
  CHECK(answer.status() == "0 ");
  CHECK(answer.field("t") == "1");
  REQUIRE(net.probe->done);
  CHECK(net.probe->done->code == Code::kOk);
}

TEST_CASE("a stream that the server ends first is closed on both sides") {
  Echo net;
  const Answer& answer = net.client.call(kStream, "x", {}, false);
  net.pump();
  net.probe->stream.finish({Code::kUnavailable, "etcdserver: no leader"});
  net.pump();
  CHECK(answer.status() == "14 etcdserver: no leader");
  CHECK(answer.closed == Http2Code::kNoError);
  CHECK(net.probe->done);
}

TEST_CASE("a reader that stops holds its own stream only, and the sender hears when it may go on") {
  Echo net({.stream_high_water = 100'000, .stream_low_water = 20'000}, 65'535);
  net.client.auto_consume = false;
  Answer& slow = net.client.call(kStream, "x", {}, false);
  net.pump();
  std::size_t queued = 0;
  int sent = 0;
  while (queued <= 100'000) {
    queued = net.probe->stream.send(SharedBytes::copy(std::string(10'000, 'm')));
    ++sent;
  }
  net.pump();
  CHECK(sent == 10);
  CHECK(slow.data.size() == 65'535);
  CHECK(net.probe->stream.queued_bytes() == queued - 65'535);
  CHECK(net.probe->writable == 0);
  net.client.auto_consume = true;
  const Answer& other = net.client.call(kEcho, "y");
  net.pump();
  CHECK(other.status() == "0 ");
  net.client.session.consume(slow, 65'535);
  net.pump();
  CHECK(net.probe->writable == 1);
  CHECK(net.probe->stream.queued_bytes() == 0);
}

TEST_CASE("a paused stream delivers nothing and buffers one window at most") {
  Echo net({.stream_window_bytes = 65'535});
  Answer& answer = net.client.call(kStream, "first", {}, false);
  net.pump();
  net.probe->stream.pause_receiving(true);
  net.pump();
  for (int i = 0; i < 30; ++i) answer.out().push(SharedBytes::copy(std::string(10'000, 'm')));
  net.client.session.resume(answer);
  net.client.session.end_body(answer, false);
  net.pump();
  CHECK(net.probe->messages.size() == 1);
  CHECK(answer.out().size_bytes() > 200'000);
  const Answer& other = net.client.call(kEcho, "y");
  net.pump();
  CHECK(other.status() == "0 ");
  net.probe->stream.pause_receiving(false);
  net.pump();
  CHECK(net.probe->messages.size() == 31);
  CHECK(net.probe->half_closed);
}

}  // namespace
}  // namespace truss::net
