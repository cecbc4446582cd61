#include "truss/net/http_client.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <vector>

#include "connection.h"
#include "dialer.h"
#include "http1_client_session.h"
#include "http_exchange.h"
#include "listener.h"
#include "run_and_wait.h"

namespace truss::net {
namespace {

using Exchange = std::shared_ptr<HttpExchangeState>;

/// The whole response as one value.
class Collect final : public HttpResponseHandler {
 public:
  explicit Collect(HttpClient::Done done) : done_(std::move(done)) {}
  void on_head(HttpResponse head) override { response_ = std::move(head); }
  void on_body(ByteView piece) override { response_.body.append(piece); }
  void on_end(Result<void> how) override {
    if (how) return done_(std::move(response_));
    done_(tl::unexpected(std::move(how).error()));
  }

 private:
  HttpClient::Done done_;
  HttpResponse response_;
};

std::string pool_key(const HttpUrl& url) { return url.host + " " + url.port; }

}  // namespace

/// Lives on: the net thread, but for its construction.
struct HttpClient::Impl final : HttpSessionHome, std::enable_shared_from_this<Impl> {
  Impl(IoThread::Impl& loop, Clock& client_clock, HttpClientOptions client_options)
      : thread(loop), clock(client_clock), options(std::move(client_options)) {}

  HttpExchange submit(Exchange exchange);
  void start(const Exchange& exchange);
  void dial(const Exchange& exchange);
  void connected(const Exchange& exchange, int fd);
  void run(Http1ClientSession& session, const Exchange& exchange);
  Http1ClientSession* take_idle(const std::string& key);
  void forget(Connection* connection);
  void close_idle();
  void close();

  void became_idle(Http1ClientSession& session) override;
  void repeat(std::shared_ptr<HttpExchangeState> exchange) override { dial(exchange); }

  struct Live {
    std::shared_ptr<Connection> connection;
    Http1ClientSession* session = nullptr;
  };

  IoThread::Impl& thread;
  Clock& clock;
  const HttpClientOptions options;
  absl::flat_hash_set<Exchange> running;
  absl::flat_hash_map<Connection*, Live> live;
  absl::flat_hash_map<std::string, std::vector<Http1ClientSession*>> idle;
  bool closed = false;
};

HttpExchange HttpClient::Impl::submit(Exchange exchange) {
  const Duration whole = exchange->call.times.whole;
  if (whole > Duration::zero()) exchange->deadline = clock.now() + whole;
  thread.post([self = shared_from_this(), exchange] { self->start(exchange); });
  return HttpExchange(std::move(exchange));
}

void HttpClient::Impl::start(const Exchange& exchange) {
  if (exchange->over()) return;
  if (closed) return exchange->finish(fail(Code::kCanceled, "the client is closed"));
  running.insert(exchange);
  exchange->over_hook = [this, raw = std::weak_ptr(exchange)] { running.erase(raw.lock()); };
  auto url = parse_http_url(exchange->call.url);
  if (!url) return exchange->finish(tl::unexpected(std::move(url).error()));
  if (url->tls) return exchange->finish(fail(Code::kUnimplemented, "https is not supported yet"));
  exchange->url = *std::move(url);
  if (exchange->kind == HttpExchangeState::Kind::kFetch) {
    if (Http1ClientSession* session = take_idle(pool_key(exchange->url))) {
      return run(*session, exchange);
    }
  }
  dial(exchange);
}

void HttpClient::Impl::dial(const Exchange& exchange) {
  if (closed) return exchange->finish(fail(Code::kCanceled, "the client is closed"));
  std::optional<MonoTime> deadline = exchange->deadline;
  const Duration patience = exchange->call.times.connect;
  if (patience > Duration::zero()) {
    const MonoTime latest = clock.now() + patience;
    deadline = deadline ? std::min(*deadline, latest) : latest;
  }
  exchange->dialer =
      std::make_shared<Dialer>(thread, exchange->url.host, exchange->url.port,
                               [self = shared_from_this(), exchange](Result<int> fd) {
                                 exchange->dialer = nullptr;
                                 if (!fd)
                                   return exchange->finish(tl::unexpected(std::move(fd).error()));
                                 self->connected(exchange, *fd);
                               });
  exchange->dialer->start(deadline);
}

void HttpClient::Impl::connected(const Exchange& exchange, int fd) {
  tune_socket(fd, options.tcp_keepalive);
  auto connection = std::make_shared<Connection>(thread, fd);
  Connection* raw = connection.get();
  ConnectionHooks hooks;
  hooks.closed = [self = shared_from_this(), raw] { self->forget(raw); };
  connection->set_hooks(std::move(hooks));
  auto session = std::make_unique<Http1ClientSession>(clock, options, *connection, *this,
                                                      pool_key(exchange->url));
  Http1ClientSession& made = *session;
  live.emplace(raw, Live{connection, &made});
  connection->start(std::move(session));
  run(made, exchange);
}

void HttpClient::Impl::run(Http1ClientSession& session, const Exchange& exchange) {
  auto head = request_head(*exchange, options.user_agent);
  if (head) return session.begin(exchange, *std::move(head));
  session.retire();
  exchange->finish(tl::unexpected(std::move(head).error()));
}

Http1ClientSession* HttpClient::Impl::take_idle(const std::string& key) {
  const auto found = idle.find(key);
  if (found == idle.end()) return nullptr;
  Http1ClientSession* session = found->second.back();
  found->second.pop_back();
  if (found->second.empty()) idle.erase(found);
  return session->idle() ? session : take_idle(key);
}

void HttpClient::Impl::became_idle(Http1ClientSession& session) {
  std::vector<Http1ClientSession*>& waiting = idle[session.pool_key()];
  if (closed || waiting.size() >= options.max_idle_per_host) return session.retire();
  waiting.push_back(&session);
}

void HttpClient::Impl::forget(Connection* connection) {
  const auto found = live.find(connection);
  if (found == live.end()) return;
  Http1ClientSession* session = found->second.session;
  if (const auto pool = idle.find(session->pool_key()); pool != idle.end()) {
    std::erase(pool->second, session);
    if (pool->second.empty()) idle.erase(pool);
  }
  live.erase(found);
}

void HttpClient::Impl::close_idle() {
  const auto all = std::move(idle);
  idle.clear();
  for (const auto& [key, sessions] : all) {
    for (Http1ClientSession* session : sessions) session->retire();
  }
}

void HttpClient::Impl::close() {
  closed = true;
  const auto exchanges = running;
  for (const Exchange& exchange : exchanges) {
    exchange->cancel({Code::kCanceled, "the client is closed"});
  }
  const auto connections = live;
  for (const auto& [raw, entry] : connections) {
    entry.connection->close({Code::kCanceled, "the client is closed"});
  }
}

HttpClient::HttpClient(IoThread& thread, Clock& clock, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(thread.impl(), clock, std::move(options))) {}

HttpClient::~HttpClient() {
  run_and_wait(impl_->thread, [this] { impl_->close(); });
}

HttpExchange HttpClient::fetch(HttpCall call, Done done) {
  auto exchange = std::make_shared<HttpExchangeState>(
      impl_->thread.shared_from_this(), HttpExchangeState::Kind::kFetch, std::move(call));
  exchange->handler = std::make_shared<Collect>(std::move(done));
  return impl_->submit(std::move(exchange));
}

HttpExchange HttpClient::open(HttpCall call, std::shared_ptr<HttpResponseHandler> handler) {
  auto exchange = std::make_shared<HttpExchangeState>(
      impl_->thread.shared_from_this(), HttpExchangeState::Kind::kOpen, std::move(call));
  exchange->handler = std::move(handler);
  return impl_->submit(std::move(exchange));
}

HttpExchange HttpClient::upload(HttpCall call, std::shared_ptr<HttpBodySource> source, Done done) {
  auto exchange = std::make_shared<HttpExchangeState>(
      impl_->thread.shared_from_this(), HttpExchangeState::Kind::kUpload, std::move(call));
  exchange->handler = std::make_shared<Collect>(std::move(done));
  exchange->source = std::move(source);
  return impl_->submit(std::move(exchange));
}

void HttpClient::close_idle() {
  impl_->thread.post([impl = impl_] { impl->close_idle(); });
}

}  // namespace truss::net
