// HttpClient and Server over real sockets: small requests and streamed answers.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "http_client_support.h"
#include "truss/test_support/localhost.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("requests share a kept connection") {
  WebService service;
  WebClient web;
  std::string peer;
  for (int i = 0; i < 20; ++i) {
    const auto answer =
        web.fetch({.method = "POST", .url = service.url + "/echo?a=b", .body = std::to_string(i)});
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == "POST a=b " + std::to_string(i));
    if (i == 0) peer = answer->header("x-peer");
    CHECK(answer->header("x-peer") == peer);
  }
  CHECK(service.server.connection_count() == 1);
  const auto missing = web.fetch({.url = service.url + "/nothing"});
  REQUIRE(missing);
  CHECK(missing->status == 404);
  CHECK(missing->body == "404 page not found\n");
}

TEST_CASE("many requests at a time, from many threads") {
  WebService service({.io_threads = 2});
  WebClient web({.max_idle_per_host = 4});
  constexpr int kThreads = 4;
  constexpr int kRequests = 200;
  Counter done;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRequests; ++i) {
        const std::string text = std::to_string(t) + ":" + std::to_string(i);
        web.client.fetch({.method = "POST", .url = service.url + "/echo", .body = text},
                         [&, text](Result<HttpResponse> got) {
                           if (!got || got->body != "POST  " + text) ++wrong;
                           done.add();
                         });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(done.reaches(kThreads * kRequests));
  CHECK(wrong == 0);
}

TEST_CASE("names and IPv6 addresses are found") {
  WebService service;
  WebClient web;
  const std::string port = service.url.substr(service.url.rfind(':'));
  if (truss::test_support::knows_localhost()) {
    const auto by_name = web.fetch({.url = "http://localhost" + port + "/echo"});
    REQUIRE(by_name);
    CHECK(by_name->status == 200);
  }
  WebService six({}, "[::1]:0");
  if (six.url.empty()) return;  // a machine without IPv6
  const auto by_six = web.fetch({.url = six.url + "/echo"});
  REQUIRE(by_six);
  CHECK(by_six->status == 200);
}

TEST_CASE("a server that closes idle connections does not fail the next request") {
  WebService service({.http_read_timeout = 50ms});
  WebClient web;
  for (int i = 0; i < 3; ++i) {
    CHECK(web.fetch({.url = service.url + "/echo"}));
    std::this_thread::sleep_for(120ms);
  }
  CHECK(service.server.connection_count() == 0);
}

TEST_CASE("idle connections retire, or on demand") {
  WebService service;
  WebClient web({.idle_timeout = 30ms});
  CHECK(web.fetch({.url = service.url + "/echo"}));
  for (int i = 0; i < 1000 && service.server.connection_count() > 0; ++i) {
    std::this_thread::sleep_for(5ms);
  }
  CHECK(service.server.connection_count() == 0);
  WebClient keeping;
  CHECK(keeping.fetch({.url = service.url + "/echo"}));
  CHECK(service.server.connection_count() == 1);
  keeping.client.close_idle();
  for (int i = 0; i < 1000 && service.server.connection_count() > 0; ++i) {
    std::this_thread::sleep_for(5ms);
  }
  CHECK(service.server.connection_count() == 0);
}

TEST_CASE("a stream comes in pieces, and ends with its last chunk") {
  WebService service;
  WebClient web;
  const auto reader = std::make_shared<Reader>();
  web.client.open({.url = service.url + "/hold"}, reader);
  HttpReply reply = service.held.take();
  reply.begin(200, {});
  REQUIRE(reader->head.reaches(1));
  CHECK(reader->status == 200);
  reply.write("one");
  REQUIRE(reader->bytes.reaches(3));
  reply.write("two");
  reply.end();
  CHECK(reader->end.take());
  CHECK(reader->text == "onetwo");
}

TEST_CASE("a stream that the server cuts is told from one that ends") {
  WebService service;
  WebClient web;
  const auto reader = std::make_shared<Reader>();
  web.client.open({.url = service.url + "/hold"}, reader);
  HttpReply reply = service.held.take();
  reply.begin(200, {});
  reply.write("one");
  reply.abort();
  const auto end = reader->end.take();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Code::kUnavailable);
  CHECK(reader->text == "one");
}

TEST_CASE("a paused reader holds the server's bytes back, in counted memory") {
  constexpr int kTotal = 64 << 20;
  WebService service({.unsent_kernel_bytes = 64u << 10});
  HttpReply reply;
  std::atomic<int> left{kTotal};
  const auto pour = [&] {
    const std::string piece(64u << 10, 'p');
    while (left > 0) {
      left -= static_cast<int>(piece.size());
      if (reply.write(piece) > 1u << 20) return;
    }
    reply.end();
  };
  service.on_writable = pour;
  WebClient web;
  const auto reader = std::make_shared<Reader>();
  HttpExchange exchange = web.client.open({.url = service.url + "/hold"}, reader);
  exchange.pause(true);
  reply = service.held.take();
  reply.begin(200, {});
  pour();
  std::this_thread::sleep_for(100ms);
  CHECK(left > kTotal / 2);
  CHECK(reply.queued_bytes() > 0);
  CHECK_FALSE(reply.closed());
  exchange.pause(false);
  CHECK(reader->end.take());
  CHECK(reader->bytes.reaches(kTotal));
}

TEST_CASE("an exchange that is cancelled closes its connection") {
  WebService service;
  WebClient web;
  const auto reader = std::make_shared<Reader>();
  HttpExchange exchange = web.client.open({.url = service.url + "/hold"}, reader);
  service.held.take().begin(200, {});
  REQUIRE(reader->head.reaches(1));
  exchange.cancel();
  exchange.cancel();
  const auto end = reader->end.take();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Code::kCanceled);
  CHECK(service.left.reaches(1));
}

}  // namespace
}  // namespace truss::net
