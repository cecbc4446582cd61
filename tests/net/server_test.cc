// gRPC calls between Server and Channel over real sockets and threads.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "socket_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("unary calls over a socket") {
  Service service;
  Caller caller(service.address);
  const auto answer = caller.call(kEcho, "hello");
  REQUIRE(answer);
  CHECK(answer->view() == "hello");
  const auto unknown = caller.call("/test.Echo/No", "x");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error() == Error{Code::kUnimplemented, "unknown method No for service test.Echo"});
  CHECK(service.server.connection_count() == 1);
}

TEST_CASE("thousands of calls from many clients, answered by another thread") {
  Service service({.io_threads = 2});
  constexpr int kChannels = 8;
  constexpr int kCalls = 500;
  SystemClock clock;
  IoThread thread("callers", clock);
  std::vector<std::unique_ptr<Channel>> channels;
  for (int i = 0; i < kChannels; ++i) {
    channels.push_back(std::make_unique<Channel>(thread, clock, service.address));
  }
  Counter done;
  std::atomic<int> wrong{0};
  for (int n = 0; n < kCalls; ++n) {
    for (int i = 0; i < kChannels; ++i) {
      const std::string text = std::to_string(n) + ":" + std::to_string(i);
      channels[static_cast<std::size_t>(i)]->unary(kElsewhere, SharedBytes::copy(text),
                                                   [&, text](Result<SharedBytes> got) {
                                                     if (!got || got->view() != text) ++wrong;
                                                     done.add();
                                                   });
    }
  }
  CHECK(done.reaches(kCalls * kChannels));
  CHECK(wrong == 0);
}

TEST_CASE("large messages") {
  Service service({.max_receive_message_bytes = 8u << 20});
  Caller caller(service.address);
  const std::string big(7u << 20, 'b');
  const auto answer = caller.call(kEcho, big);
  REQUIRE(answer);
  CHECK(answer->view() == big);
  const auto over = caller.call(kEcho, std::string((8u << 20) + 1, 'x'));
  REQUIRE_FALSE(over);
  CHECK(over.error().code == Code::kResourceExhausted);
  CHECK(caller.call(kEcho, "still fine"));
}

TEST_CASE("streams over a socket, with status and trailers") {
  Service service;
  Caller caller(service.address);
  const auto collect = std::make_shared<Collect>();
  ClientStream stream = caller.channel.open(kStream, collect);
  stream.send(SharedBytes::copy("a"));
  stream.send(SharedBytes::copy("b"));
  REQUIRE(collect->got.reaches(2));
  stream.half_close();
  REQUIRE(collect->done.reaches(1));
  CHECK(collect->messages == std::vector<std::string>{"a", "b"});
  CHECK(collect->status.code == Code::kOk);
  CHECK(collect->trailers == Metadata{{"t", "1"}});
}

TEST_CASE("a hundred megabytes pour through a paced stream") {
  Service service;
  Caller caller(service.address);
  const auto collect = std::make_shared<Collect>();
  ClientStream stream = caller.channel.open(kMany, collect);
  stream.send(SharedBytes::copy("10000"));
  REQUIRE(collect->done.reaches(1));
  CHECK(collect->status.code == Code::kOk);
  CHECK(collect->bytes == 100'000'000);
}

TEST_CASE("the client's deadline and cancel reach the server") {
  Service service;
  Caller caller(service.address);
  const auto late = caller.call(kHang, "x", {.metadata = {}, .timeout = 20ms});
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Code::kDeadlineExceeded);
  const auto collect = std::make_shared<Collect>();
  ClientStream stream = caller.channel.open(kStream, collect);
  stream.send(SharedBytes::copy("a"));
  REQUIRE(collect->got.reaches(1));
  stream.cancel();
  REQUIRE(collect->done.reaches(1));
  CHECK(collect->status.code == Code::kCanceled);
  REQUIRE(service.hanging.reaches(1));
  // The reset follows the deadline on its own time.
  for (int i = 0; i < 1000 && !service.hung[0].call.cancelled(); ++i)
    std::this_thread::sleep_for(5ms);
  CHECK(service.hung[0].call.cancelled());
}

}  // namespace
}  // namespace truss::net
