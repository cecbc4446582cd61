// Server and Channel over real sockets and threads.
#include "truss/net/server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/net/channel.h"
#include "truss/net/io_thread.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;

constexpr char kEcho[] = "/test.Echo/Unary";
constexpr char kElsewhere[] = "/test.Echo/Elsewhere";
constexpr char kHang[] = "/test.Echo/Hang";
constexpr char kStream[] = "/test.Echo/Stream";
constexpr char kMany[] = "/test.Echo/Many";

/// Counts up to a number that another thread waits for.
class Counter {
 public:
  void add(int n = 1) {
    const std::lock_guard lock(mutex_);
    count_ += n;
    changed_.notify_all();
  }
  /// False after a minute: the test fails instead of hanging.
  bool reaches(int n) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 60s, [&] { return count_ >= n; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

class EchoStream final : public StreamHandler {
 public:
  explicit EchoStream(ServerStream stream) : stream_(std::move(stream)) {}
  void on_message(SharedBytes message) override { stream_.send(std::move(message)); }
  void on_half_close() override { stream_.finish({Code::kOk, "done"}, {{"t", "1"}}); }

 private:
  ServerStream stream_;
};

/// Sends `request` messages of 10 kB, pausing when told to.
class Pouring final : public StreamHandler, public std::enable_shared_from_this<Pouring> {
 public:
  explicit Pouring(ServerStream stream) : stream_(std::move(stream)) {}
  void on_message(SharedBytes message) override {
    left_ = std::stoi(std::string(message.view()));
    pour();
  }
  void on_writable() override { pour(); }

 private:
  void pour() {
    std::size_t queued = 0;
    while (left_ > 0 && queued < 1u << 20) {
      queued = stream_.send(SharedBytes::copy(std::string(10'000, 'p')));
      --left_;
    }
    if (left_ == 0) stream_.finish({Code::kOk, {}});
  }
  ServerStream stream_;
  int left_ = 0;
};

struct Service {
  explicit Service(ServerOptions options = {}) : server(std::move(options), clock, logger) {
    server.add_unary(kEcho, [](CallContext, SharedBytes request, UnaryReply reply) {
      reply.finish(std::move(request));
    });
    server.add_unary(kElsewhere, [this](CallContext, SharedBytes request, UnaryReply reply) {
      elsewhere->post([request = std::move(request), reply = std::move(reply)]() mutable {
        reply.finish(std::move(request));
      });
    });
    server.add_unary(kHang, [this](CallContext call, SharedBytes, UnaryReply reply) {
      const std::lock_guard lock(mutex);
      hung.push_back({std::move(call), std::move(reply)});
      hanging.add();
    });
    server.add_stream(kStream, [](CallContext, ServerStream stream) {
      return std::make_shared<EchoStream>(std::move(stream));
    });
    server.add_stream(kMany, [](CallContext, ServerStream stream) {
      return std::make_shared<Pouring>(std::move(stream));
    });
    server.add_http({.path = "/health", .handler = [](HttpRequest request, HttpReply reply) {
                       reply.send(200, {}, "healthy " + request.body);
                     }});
    server.add_http({.path = "/stream", .handler = [this](HttpRequest, HttpReply reply) {
                       reply.on_disconnect([this] { left.add(); });
                       reply.begin(200, {});
                       reply.write("first\n");
                     }});
    const auto bound = server.listen({"127.0.0.1:0"});
    REQUIRE(bound);
    address = *bound;
    server.start();
  }
  ~Service() {
    server.stop();
    elsewhere->stop();
  }

  struct Hung {
    CallContext call;
    UnaryReply reply;
  };

  ThreadRuntime runtime;
  SystemClock clock;
  NullLogger logger;
  std::unique_ptr<Executor> elsewhere = runtime.make_executor("elsewhere");
  std::mutex mutex;
  std::vector<Hung> hung;
  Counter hanging;
  Counter left;
  Server server;
  std::string address;
};

struct Caller {
  explicit Caller(const std::string& address, ChannelOptions options = {})
      : channel(thread, clock, address, std::move(options)) {}

  Result<SharedBytes> call(std::string_view path, std::string message, CallOptions options = {}) {
    Counter done;
    Result<SharedBytes> answer;
    channel.unary(
        path, SharedBytes::copy(message),
        [&](Result<SharedBytes> got) {
          answer = std::move(got);
          done.add();
        },
        options);
    REQUIRE(done.reaches(1));
    return answer;
  }

  SystemClock clock;
  IoThread thread{"caller", clock};
  Channel channel;
};

/// Keeps what comes; any thread may wait for the end.
class Collect final : public ClientStreamHandler {
 public:
  void on_message(SharedBytes message) override {
    bytes += message.size();
    if (messages.size() < 10) messages.emplace_back(message.view());
    got.add();
  }
  void on_done(const Error& why, const Metadata& fields) override {
    status = why;
    trailers = fields;
    done.add();
  }
  std::vector<std::string> messages;
  std::size_t bytes = 0;
  Error status;
  Metadata trailers;
  Counter got;
  Counter done;
};

/// A blocking TCP client that says raw bytes.
class RawClient {
 public:
  explicit RawClient(const std::string& address) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int port = std::stoi(address.substr(address.rfind(':') + 1));
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    const timeval patience{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0);
  }
  ~RawClient() { ::close(fd_); }
  void say(std::string_view bytes) {
    REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  /// False if the server takes nothing for a second.
  bool try_say(std::string_view bytes) {
    const timeval patience{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// Until `text` has come or the end; true if it came.
  bool hear(std::string_view text) {
    char buffer[4096];
    while (heard_.find(text) == std::string::npos) {
      const ssize_t size = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (size <= 0) return false;
      heard_.append(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }
  bool hear_end() { return !hear("\x01never\x01"); }
  const std::string& heard() const { return heard_; }

 private:
  int fd_;
  std::string heard_;
};

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

TEST_CASE("an IoThread is an executor: order, timers, cancel, stop") {
  SystemClock clock;
  IoThread thread("order", clock);
  std::vector<int> order;
  Counter done;
  const MonoTime now = clock.now();
  thread.post_at(now + 40ms, [&] {
    order.push_back(4);
    done.add();
  });
  thread.post_at(now + 20ms, [&] { order.push_back(3); });
  const TimerId doomed = thread.post_at(now + 30ms, [&] { order.push_back(99); });
  thread.cancel(doomed);
  thread.post([&] { order.push_back(1); });
  thread.post([&] {
    CHECK(thread.is_current());
    order.push_back(2);
  });
  CHECK_FALSE(thread.is_current());
  REQUIRE(done.reaches(1));
  thread.stop();
  CHECK(order == std::vector<int>{1, 2, 3, 4});
  thread.post([&] { order.push_back(100); });
  thread.stop();
  CHECK(order.size() == 4);
}

}  // namespace
}  // namespace truss::net
