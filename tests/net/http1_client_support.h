#pragma once

// The HTTP/1.1 client session without sockets: what a server says goes in by hand.
#include <memory>
#include <string>
#include <utility>

#include "http1_client_session.h"
#include "http_exchange.h"
#include "support.h"
#include "truss/net/http_client.h"

namespace truss::net::testing {

/// What a reader sees of a response, as text.
class TellResponse final : public HttpResponseHandler {
 public:
  void on_head(HttpResponse head) override {
    text += std::to_string(head.status);
    for (const auto& [name, value] : head.headers) text += " [" + name + "=" + value + "]";
    text += " |";
  }
  void on_body(ByteView piece) override { text += piece; }
  void on_end(Result<void> how) override {
    text += how ? "| end" : "| " + std::string(code_name(how.error().code));
    if (!how) message = how.error().message;
    ++ends;
  }
  std::string text;
  std::string message;
  int ends = 0;
};

/// A body given piece by piece by the test.
class GivenSource final : public HttpBodySource {
 public:
  Result<Pull> pull(SharedBytes& piece) override {
    ++pulls;
    if (broken) return fail(Code::kDataLoss, "disk gone");
    if (!next.empty()) {
      piece = SharedBytes::copy(std::exchange(next, {}));
      return Pull::kPiece;
    }
    return ended ? Pull::kEnd : Pull::kLater;
  }
  std::string next;
  bool ended = false;
  bool broken = false;
  int pulls = 0;
};

/// One connection of a client under the test's clock. The loop is never run: exchanges are started
/// on the session itself.
class ClientWire final : public HttpSessionHome {
 public:
  explicit ClientWire(HttpClientOptions client_options = {}) : options(std::move(client_options)) {}
  ~ClientWire() override {
    session.lost({Code::kCanceled, "over"});
    for (const auto& exchange : exchanges) exchange->cancel({Code::kCanceled, "over"});
  }

  using Kind = HttpExchangeState::Kind;

  /// Starts an exchange; its outcome shows in `*told`.
  std::shared_ptr<HttpExchangeState> begin(Kind kind, HttpCall call = {},
                                           std::shared_ptr<HttpBodySource> source = nullptr) {
    if (call.url.empty()) call.url = "http://server:1/path";
    auto exchange = std::make_shared<HttpExchangeState>(nullptr, kind, std::move(call));
    exchange->url = parse_http_url(exchange->call.url).value();
    told = std::make_shared<TellResponse>();
    exchange->handler = told;
    exchange->source = std::move(source);
    session.begin(exchange, request_head(*exchange, options.user_agent).value());
    exchanges.push_back(exchange);
    return exchange;
  }
  /// All that the client sends now, taken by the kernel at once.
  std::string sent() {
    std::string out;
    session.pull(out, 256u << 10);
    session.wrote(out.size());
    return out;
  }
  void say(ByteView bytes) { (void)session.receive(bytes); }

  void became_idle(Http1ClientSession&) override { ++idles; }
  void repeat(std::shared_ptr<HttpExchangeState>) override { ++repeats; }

  ManualClock clock;
  NoOwner owner;
  HttpClientOptions options;
  int idles = 0;
  int repeats = 0;
  std::shared_ptr<TellResponse> told;
  std::vector<std::shared_ptr<HttpExchangeState>> exchanges;
  Http1ClientSession session{clock, options, owner, *this, "server 1"};
};

}  // namespace truss::net::testing
