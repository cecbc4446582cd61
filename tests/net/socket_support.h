#pragma once

// Server, Channel and raw clients over real sockets and threads.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/net/channel.h"
#include "truss/net/io_thread.h"
#include "truss/net/server.h"

namespace truss::net::testing {

inline constexpr char kEcho[] = "/test.Echo/Unary";
inline constexpr char kElsewhere[] = "/test.Echo/Elsewhere";
inline constexpr char kHang[] = "/test.Echo/Hang";
inline constexpr char kStream[] = "/test.Echo/Stream";
inline constexpr char kMany[] = "/test.Echo/Many";

/// Counts up to a number that another thread waits for.
class Counter {
 public:
  void add(int n = 1) {
    const std::lock_guard lock(mutex_);
    count_ += n;
    changed_.notify_all();
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// False after a minute: the test fails instead of hanging.
  bool reaches(int n) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= n; });
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

}  // namespace truss::net::testing
