#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mailbox.h"
#include "service_table.h"
#include "session.h"
#include "truss/common/clock.h"
#include "truss/net/http.h"
#include "truss/net/http1_parser.h"
#include "truss/net/server.h"

namespace truss::net {

class Http1ServerSession;

/// One HTTP exchange: reply handle and what the connection keeps of it.
struct HttpState final : CommandTarget, std::enable_shared_from_this<HttpState> {
  void run(Command& command) override;
  void push(CommandKind kind, SharedBytes bytes, std::unique_ptr<CommandExtra> extra);

  std::shared_ptr<Mailbox> mailbox;
  std::size_t high_water_bytes = 0;

  // Shared between threads.
  std::atomic<bool> closed{false};    ///< the client has gone or the answer is complete
  std::atomic<bool> answered{false};  ///< send() or begin() was called
  std::atomic<bool> above_high{false};
  std::atomic<std::size_t> queued{0};
  std::atomic<bool> body_paused{false};

  // Net thread only.
  Http1ServerSession* session = nullptr;
  std::function<void()> gone;
  std::function<void()> writable;
  std::function<void(ByteView, bool)> body;
  std::function<void()> stall;
  Metadata extra_headers;
  bool head_only = false;
  bool http10 = false;
};

/// HTTP/1.x server side of one connection: one request at a time, pipelined ones wait.
///
/// Lives on: one net thread.
class Http1ServerSession final : public Session, private Http1Events {
 public:
  Http1ServerSession(const ServiceTable& table, const ServerOptions& options, Clock& clock,
                     std::shared_ptr<Mailbox> mailbox, std::string peer, SessionOwner& owner);

  Result<void> receive(ByteView bytes) override;
  bool receive_end() override;
  bool wants_input() const override { return waiting_.size() < kMaxWaitingBytes && !body_held(); }
  void pull(std::string& out, std::size_t limit_bytes) override;
  void wrote(std::size_t bytes) override;
  Duration write_timeout() const override { return options_.write_timeout; }
  bool finished() const override { return closing_ && out_.empty(); }
  std::optional<MonoTime> next_time() const override;
  void on_time(MonoTime now) override;
  void begin_shutdown() override;
  void lost(const Error& why) override;

  void apply(HttpState& state, Command& command);

 private:
  static constexpr std::size_t kMaxWaitingBytes = 64u << 10;

  void on_head(Http1Head head) override;
  void on_body(ByteView piece) override;
  void on_message_end() override;

  void parse_more(ByteView bytes);
  void refuse(const Error& why);
  bool let_answer_stall();
  void dispatch();
  void write_whole(HttpState& state, const CommandExtra& answer);
  void write_head(HttpState& state, const CommandExtra& answer);
  void write_chunk(HttpState& state, ByteView chunk);
  void write_end(HttpState& state, const Metadata& trailers);
  void abort();
  /// The handler does not take more of the body for now.
  bool body_held() const {
    return current_ != nullptr && !request_done_ && current_->body_paused.load();
  }
  std::optional<MonoTime> silence_deadline() const;
  void start_line(HttpState& state, const CommandExtra& answer);
  void complete_answer();
  void next_request();

  const ServiceTable& table_;
  const ServerOptions& options_;
  Clock& clock_;
  std::shared_ptr<Mailbox> mailbox_;
  std::string peer_;
  SessionOwner& owner_;
  Http1Parser parser_;

  HttpRequest request_;
  const HttpRoute* route_ = nullptr;
  std::string moved_to_;  ///< the path that the client should have asked for
  std::size_t max_body_ = 0;
  std::shared_ptr<HttpState> current_;  ///< the exchange whose answer is due
  std::string waiting_;                 ///< bytes of later requests
  std::string out_;
  std::size_t in_flight_ = 0;  ///< bytes that pull() gave and the kernel has not taken
  std::size_t counted_ = 0;    ///< bytes of both that current_->queued counts
  std::optional<MonoTime> read_deadline_;
  MonoTime last_heard_;  ///< or when the wait for the next bytes began
  bool dispatched_ = false;
  bool request_done_ = false;
  bool answer_done_ = false;
  bool keep_alive_ = true;
  bool shutting_down_ = false;
  bool closing_ = false;
  bool stalled_ = false;  ///< the client's silence was told; what it still says is not heard
};

}  // namespace truss::net
