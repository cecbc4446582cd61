#pragma once

#include <absl/container/btree_map.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "call_state.h"
#include "mailbox.h"
#include "ping_policy.h"
#include "service_table.h"
#include "session.h"
#include "truss/common/clock.h"
#include "truss/net/http2_session.h"
#include "truss/net/server.h"

namespace truss::net {

/// The gRPC server's side of one connection: routes calls to handlers, enforces limits and
/// deadlines, answers what is malformed as grpc-go does.
///
/// Lives on: one net thread.
class GrpcServerSession final : public Session, private Http2Handler {
 public:
  GrpcServerSession(const ServiceTable& table, const ServerOptions& options, Clock& clock,
                    std::shared_ptr<Mailbox> mailbox, std::string peer, SessionOwner& owner);

  Result<void> receive(ByteView bytes) override;
  void pull(std::string& out, std::size_t limit_bytes) override;
  Duration write_timeout() const override { return options_.write_timeout; }
  bool finished() const override { return http2_.finished(); }
  std::optional<MonoTime> next_time() const override;
  void on_time(MonoTime now) override;
  void begin_shutdown() override;
  void lost(const Error& why) override;

  /// Carries out a command of a call's handler.
  void apply(CallState& call, Command& command);

 private:
  Http2Stream* on_request() override;
  void on_header(Http2Stream& stream, std::string_view name, std::string_view value) override;
  void on_headers_complete(Http2Stream& stream, bool trailers) override;
  void on_data(Http2Stream& stream, ByteView bytes) override;
  void on_remote_end(Http2Stream& stream) override;
  void on_trailers_due(Http2Stream& stream) override;
  void on_sent(Http2Stream& stream, std::size_t bytes) override;
  void on_closed(Http2Stream& stream, Http2Code code) override;
  void on_ping(bool ack, std::uint64_t opaque) override;
  void on_settings() override { handshake_deadline_.reset(); }

  void take_metadata(CallState& call, std::string_view name, std::string_view value);
  bool check_head(CallState& call);
  void route(CallState& call);
  void deliver(CallState& call, ByteView bytes);
  void deliver_message(CallState& call, SharedBytes message);
  void half_close(CallState& call);
  Error unknown_method(const CallState& call) const;
  Error cut_short(const CallState& call) const;
  Error deadline_error() const;
  bool old_dialect() const { return options_.grpc_dialect == GrpcDialect::kGo126; }
  void resume_receiving(CallState& call);

  void send_headers(CallState& call);
  void finish(CallState& call, std::unique_ptr<CommandExtra> status);
  void fail_call(CallState& call, Error error);
  /// Status in the first header, nothing else; `http_status` 200 but for requests that aren't gRPC.
  void answer_at_once(CallState& call, const Error& status, const Metadata& fields,
                      std::string_view http_status);
  void expire_deadlines(MonoTime now);
  void check_keepalive(MonoTime now);
  void forget(CallState& call, const Error& why);

  void answer(CallState& call, Command& command);
  void send(CallState& call, SharedBytes message);
  void weigh(CallState& call);
  bool reply_room() const { return queued_reply_bytes_ <= options_.max_queued_reply_bytes; }
  Error no_reply_room() const;

  using DeadlineKey = std::pair<MonoTime, std::int32_t>;

  const ServiceTable& table_;
  const ServerOptions& options_;
  Clock& clock_;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<const std::string> peer_;
  SessionOwner& owner_;
  Http2Session http2_;
  PingPolicy ping_policy_;
  absl::btree_map<DeadlineKey, CallState*> deadlines_;
  std::size_t buffered_bytes_ = 0;      ///< of all unfinished request messages
  std::size_t queued_reply_bytes_ = 0;  ///< sum of CallState::charged_bytes
  MonoTime now_;                        ///< of the latest receive()
  std::optional<MonoTime> handshake_deadline_;
  std::optional<MonoTime> ping_sent_;
  bool draining_ = false;
};

}  // namespace truss::net
