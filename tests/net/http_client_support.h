#pragma once

// An HTTP server with streams both ways, and clients that wait for their answers.
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "socket_support.h"
#include "truss/net/http_client.h"

namespace truss::net::testing {

/// Any thread may wait for the next of the values that another thread puts.
template <class T>
class Box {
 public:
  void put(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    filled_.add();
  }
  T take() {
    REQUIRE(filled_.reaches(1));
    const std::lock_guard lock(mutex_);
    return std::move(value_);
  }

 private:
  std::mutex mutex_;
  T value_;
  Counter filled_;
};

/// Routes: /echo answers with method and body, /hold and /body hand their reply to the test.
struct WebService {
  explicit WebService(ServerOptions options = {}, const std::string& where = "127.0.0.1:0")
      : server(std::move(options), clock, logger) {
    server.add_http({.path = "/echo", .handler = [](HttpRequest request, HttpReply reply) {
                       reply.send(200, {{"X-Peer", request.peer}},
                                  request.method + " " + request.query + " " + request.body);
                     }});
    server.add_http({.path = "/hold", .handler = [this](HttpRequest, HttpReply reply) {
                       reply.on_disconnect([this] { left.add(); });
                       reply.on_writable([this] {
                         if (on_writable) on_writable();
                       });
                       held.put(reply);
                     }});
    server.add_http({.path = "/body",
                     .handler =
                         [this](HttpRequest, HttpReply reply) {
                           reply.on_disconnect([this] { left.add(); });
                           if (on_upload) on_upload(reply);
                         },
                     .stream_body = true});
    const auto bound = server.listen({where});
    if (!bound) return;
    url = "http://" + *bound;
    server.start();
  }

  SystemClock clock;
  NullLogger logger;
  Box<HttpReply> held;
  Counter left;
  std::function<void(HttpReply)> on_upload;
  std::function<void()> on_writable;
  std::string url;
  Server server;  ///< last: its threads end first
};

/// A client with its own thread.
struct WebClient {
  explicit WebClient(HttpClientOptions options = {}) : client(thread, clock, std::move(options)) {}

  Result<HttpResponse> fetch(HttpCall call) {
    Box<Result<HttpResponse>> box;
    client.fetch(std::move(call), [&](Result<HttpResponse> got) { box.put(std::move(got)); });
    return box.take();
  }
  Result<HttpResponse> upload(HttpCall call, std::shared_ptr<HttpBodySource> source) {
    Box<Result<HttpResponse>> box;
    call.method = "POST";
    client.upload(std::move(call), std::move(source),
                  [&](Result<HttpResponse> got) { box.put(std::move(got)); });
    return box.take();
  }

  SystemClock clock;
  IoThread thread{"client", clock};
  HttpClient client;
};

/// A stream's reader whose sights any thread may wait for.
class Reader final : public HttpResponseHandler {
 public:
  void on_head(HttpResponse response) override {
    status = response.status;
    head.add();
  }
  void on_body(ByteView piece) override {
    if (text.size() < 1000) text += piece;
    bytes.add(static_cast<int>(piece.size()));
  }
  void on_end(Result<void> how) override { end.put(std::move(how)); }

  int status = 0;    ///< after head
  std::string text;  ///< its start, after end
  Counter head;
  Counter bytes;
  Box<Result<void>> end;
};

/// A listening socket that never accepts.
class DeafServer {
 public:
  explicit DeafServer(int backlog) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0);
    REQUIRE(::listen(fd_, backlog) == 0);
    socklen_t size = sizeof(where);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&where), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(where.sin_port));
  }
  ~DeafServer() { ::close(fd_); }
  /// Takes a connection, hears up to `text`, answers and closes.
  void serve(std::string_view text, std::string_view answer) {
    const int fd = ::accept(fd_, nullptr, nullptr);
    REQUIRE(fd >= 0);
    std::string heard;
    char buffer[4096];
    while (heard.find(text) == std::string::npos) {
      const ssize_t size = ::recv(fd, buffer, sizeof(buffer), 0);
      if (size <= 0) break;
      heard.append(buffer, static_cast<std::size_t>(size));
    }
    CHECK(::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(answer.size()));
    ::close(fd);
  }

  std::string address;

 private:
  int fd_;
};

}  // namespace truss::net::testing
