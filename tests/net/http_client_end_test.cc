// How exchanges of HttpClient end when something is wrong, over real sockets.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "http_client_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

Code code_of(const Result<HttpResponse>& got) { return got ? Code::kOk : got.error().code; }

TEST_CASE("nobody listens there: one line that says who and why") {
  WebClient web;
  std::string url;
  {
    DeafServer gone(1);
    url = "http://" + gone.address + "/members";
  }
  const auto refused = web.fetch({.url = url});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kUnavailable);
  CHECK(refused.error().message == "GET " + url + ": dial tcp " +
                                       url.substr(7, url.find('/', 7) - 7) +
                                       ": connect: connection refused");
  const auto unknown = web.fetch({.url = "http://no-such-host.invalid:1/"});
  CHECK(code_of(unknown) == Code::kUnavailable);
}

TEST_CASE("a client and a channel that outlive their thread end without it") {
  SystemClock clock;
  IoThread thread("net", clock);
  HttpClient client(thread, clock);
  Channel channel(thread, clock, "127.0.0.1:1");
  thread.stop();
}

TEST_CASE("requests that can't be sent") {
  WebClient web;
  CHECK(code_of(web.fetch({.url = "nonsense"})) == Code::kInvalidArgument);
  CHECK(code_of(web.fetch({.url = "https://127.0.0.1:1/"})) == Code::kUnimplemented);
  WebService service;
  CHECK(code_of(web.fetch({.url = service.url + "/echo", .headers = {{"a b", "c"}}})) ==
        Code::kInvalidArgument);
}

TEST_CASE("a full backlog: the connect time-out") {
  DeafServer deaf(0);
  RawClient first(deaf.address);  // fills it
  WebClient web;
  HttpCall call{.url = "http://" + deaf.address + "/", .times = {.connect = 100ms}};
  std::vector<Result<HttpResponse>> all;
  // The kernel may let one or two more in, which then get no answer.
  call.times.whole = 200ms;
  for (int i = 0; i < 4; ++i) all.push_back(web.fetch(call));
  CHECK(code_of(all.back()) == Code::kDeadlineExceeded);
  CHECK(all.back().error().message ==
        "GET " + call.url + ": dial tcp " + deaf.address + ": i/o timeout");
}

TEST_CASE("a server that says nothing: the whole time, and the silence") {
  DeafServer deaf(8);
  WebClient web;
  const std::string url = "http://" + deaf.address + "/";
  CHECK(code_of(web.fetch({.url = url, .times = {.whole = 50ms}})) == Code::kDeadlineExceeded);
  CHECK(code_of(web.fetch({.url = url, .times = {.read = 50ms}})) == Code::kDeadlineExceeded);
  CHECK(code_of(web.fetch({.url = url, .times = {.response = 50ms}})) == Code::kDeadlineExceeded);
  const std::string large(64u << 20, 'x');
  const auto stuck =
      web.fetch({.method = "POST", .url = url, .body = large, .times = {.write = 100ms}});
  CHECK(code_of(stuck) == Code::kDeadlineExceeded);
}

TEST_CASE("a stream that falls silent") {
  WebService service;
  WebClient web;
  const auto reader = std::make_shared<Reader>();
  web.client.open({.url = service.url + "/hold", .times = {.read = 200ms}}, reader);
  HttpReply reply = service.held.take();
  reply.begin(200, {});
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(60ms);
    reply.write("x");
  }
  const auto end = reader->end.take();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Code::kDeadlineExceeded);
  CHECK(reader->text == "xxxxx");
  CHECK(service.left.reaches(1));
}

TEST_CASE("an answer in pieces of nonsense, and one cut short") {
  WebClient web;
  const auto answered = [&](std::string_view answer) {
    DeafServer scripted(8);
    std::thread other([&] { scripted.serve("\r\n\r\n", answer); });
    const auto got =
        web.fetch({.url = "http://" + scripted.address + "/", .times = {.whole = 30s}});
    other.join();
    return code_of(got);
  };
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") == Code::kOk);
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok") == Code::kUnavailable);
  CHECK(answered("SSH-2.0-x\r\n") == Code::kInternal);
  CHECK(answered("HTTP/1.1 200 OK\r\n\r\nto the end") == Code::kOk);
}

TEST_CASE("a client that goes away ends what runs, before its destructor returns") {
  WebService service;
  DeafServer deaf(8);
  SystemClock clock;
  IoThread thread("client", clock);
  auto client = std::make_unique<HttpClient>(thread, clock);
  const auto reader = std::make_shared<Reader>();
  const HttpExchange running = client->open({.url = service.url + "/hold"}, reader);
  (void)service.held.take();
  std::atomic<int> ends{0};
  client->fetch({.url = "http://" + deaf.address + "/"}, [&](Result<HttpResponse> got) {
    CHECK(code_of(got) == Code::kCanceled);
    ++ends;
  });
  client.reset();
  CHECK(ends == 1);
  const auto end = reader->end.take();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Code::kCanceled);
  CHECK(service.left.reaches(1));
  HttpExchange late = running;
  late.cancel();
  late.pause(true);
  late.pause(false);
  late.body_ready();
}

TEST_CASE("a client that reads nothing of a stream is dropped by the server's write deadline") {
  WebService service({.write_timeout = 200ms});
  RawClient deaf(service.url.substr(7));
  deaf.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpReply reply = service.held.take();
  reply.begin(200, {});
  for (int i = 0; i < 16; ++i) reply.write(std::string(1u << 20, 'x'));
  CHECK(service.left.reaches(1));
  CHECK(reply.closed());
}

}  // namespace
}  // namespace truss::net
