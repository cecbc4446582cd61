#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http_exchange.h"
#include "session.h"
#include "truss/common/clock.h"
#include "truss/net/http1_parser.h"

namespace truss::net {

/// What a client session needs of its pool.
class HttpSessionHome {
 public:
  virtual ~HttpSessionHome() = default;
  /// The exchange is over and the connection can take another.
  virtual void became_idle(Http1ClientSession& session) = 0;
  /// The server had closed the kept-alive connection before it saw the request.
  virtual void repeat(std::shared_ptr<HttpExchangeState> exchange) = 0;
};

/// HTTP/1.1 client side of one connection: one exchange at a time.
///
/// Lives on: one net thread.
class Http1ClientSession final : public Session, private Http1Events {
 public:
  Http1ClientSession(Clock& clock, const HttpClientOptions& options, SessionOwner& owner,
                     HttpSessionHome& home, std::string pool_key);

  /// Sends a request with this head. Only when idle.
  void begin(std::shared_ptr<HttpExchangeState> exchange, std::string head);
  /// Ends the running exchange with `why` and closes.
  void abandon(const Error& why);
  void resumed();
  void body_ready();
  bool idle() const { return exchange_ == nullptr && !closing_; }
  /// Closes if idle.
  void retire();
  const std::string& pool_key() const { return pool_key_; }

  Result<void> receive(ByteView bytes) override;
  bool receive_end() override;
  bool wants_input() const override;
  void pull(std::string& out, std::size_t limit_bytes) override;
  void wrote(std::size_t bytes) override;
  Duration write_timeout() const override;
  bool hears_while_blocked() const override { return true; }
  bool lingers() const override { return false; }
  bool finished() const override { return closing_; }
  std::optional<MonoTime> next_time() const override;
  void on_time(MonoTime now) override;
  void begin_shutdown() override { retire(); }
  void lost(const Error& why) override;

 private:
  void on_head(Http1Head head) override;
  void on_body(ByteView piece) override;
  void on_message_end() override;

  void pull_source(std::string& out, std::size_t limit_bytes);
  bool pull_piece(std::string& out);
  void check_sent();
  Result<void> check_head(const Http1Head& head) const;
  void end(Result<void> how);
  bool response_due() const { return exchange_ != nullptr && sent_at_.has_value(); }

  Clock& clock_;
  const HttpClientOptions& options_;
  SessionOwner& owner_;
  HttpSessionHome& home_;
  const std::string pool_key_;
  Http1Parser parser_;

  std::shared_ptr<HttpExchangeState> exchange_;  ///< null while idle
  std::string out_;
  std::size_t in_flight_ = 0;  ///< bytes that pull() gave and the kernel has not taken
  std::size_t received_ = 0;   ///< bytes of the response body
  int informational_ = 0;      ///< 1xx answers seen
  std::optional<MonoTime> sent_at_;
  MonoTime last_heard_;
  MonoTime idle_since_;
  bool sending_ = false;    ///< the source has not said its end
  bool waiting_ = false;    ///< ... but that there is nothing for now
  bool heard_ = false;      ///< a byte of this response has come
  bool head_done_ = false;  ///< the final head has come
  bool skipping_ = false;   ///< inside a 1xx answer
  bool keep_ = false;       ///< the connection can be kept after this response
  bool reused_ = false;     ///< an earlier exchange went over this connection
  bool closing_ = false;
};

}  // namespace truss::net
