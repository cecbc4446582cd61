#include "grpc_server_session.h"

#include <algorithm>

/// Life of a connection: calls begin and end, time passes. What comes in is read in
/// grpc_server_request.cc, what goes out is written in grpc_server_reply.cc.
namespace truss::net {
namespace {

constexpr std::uint64_t kKeepaliveOpaque = 0;
constexpr std::uint64_t kShutdownOpaque = 0x7472757373627965;  // "trussbye"

}  // namespace

GrpcServerSession::GrpcServerSession(const ServiceTable& table, const ServerOptions& options,
                                     Clock& clock, std::shared_ptr<Mailbox> mailbox,
                                     std::string peer, SessionOwner& owner)
    : table_(table),
      options_(options),
      clock_(clock),
      mailbox_(std::move(mailbox)),
      peer_(std::make_shared<const std::string>(std::move(peer))),
      owner_(owner),
      http2_({.server = true,
              .max_concurrent_streams = options.max_concurrent_streams,
              .stream_window_bytes = options.stream_window_bytes,
              .connection_window_bytes = options.connection_window_bytes,
              .max_header_list_bytes = static_cast<std::uint32_t>(options.max_header_list_bytes)},
             *this),
      ping_policy_(options),
      now_(clock.now()),
      handshake_deadline_(now_ + options.handshake_timeout) {}

Result<void> GrpcServerSession::receive(ByteView bytes) {
  now_ = clock_.now();
  ping_sent_.reset();
  return http2_.receive(bytes);
}

void GrpcServerSession::pull(std::string& out, std::size_t limit_bytes) {
  http2_.pull(out, limit_bytes);
}

Http2Stream* GrpcServerSession::on_request() {
  auto call = std::make_shared<CallState>(
      mailbox_, peer_, *this, options_.max_receive_message_bytes, options_.stream_high_water);
  call->self = call;
  return call.get();
}

void GrpcServerSession::apply(CallState& call, Command& command) {
  if (call.answered) return;
  switch (command.kind) {
    case CommandKind::kFinish:
      answer(call, command);
      break;
    case CommandKind::kSend:
      send(call, std::move(command.bytes));
      break;
    case CommandKind::kPause:
      call.paused = true;
      break;
    case CommandKind::kResume:
      resume_receiving(call);
      break;
    default:
      break;
  }
  owner_.session_changed();
}

void GrpcServerSession::on_closed(Http2Stream& stream, Http2Code code) {
  CallState& call = call_of(stream);
  const bool lost_answer = code != Http2Code::kNoError && call.end_reason.code == Code::kOk;
  if (lost_answer) call.end_reason = {Code::kCanceled, "context canceled"};
  forget(call, call.end_reason);
}

void GrpcServerSession::forget(CallState& call, const Error& why) {
  const std::shared_ptr<CallState> keep = std::move(call.self);
  call.session = nullptr;
  call.cancelled.store(true, std::memory_order_relaxed);
  buffered_bytes_ -= call.deframer.buffered_bytes();
  if (call.deadline) deadlines_.erase(DeadlineKey(*call.deadline, call.stream_id()));
  call.out().clear();
  weigh(call);
  if (const auto handler = std::move(call.handler)) handler->on_done(why);
}

void GrpcServerSession::on_ping(bool ack, std::uint64_t opaque) {
  if (ack) {
    if (draining_ && opaque == kShutdownOpaque) http2_.goaway(Http2Code::kNoError, {});
    return;
  }
  if (!ping_policy_.accept_ping(now_, http2_.stream_count() > 0)) {
    http2_.goaway(Http2Code::kEnhanceYourCalm, "too_many_pings");
  }
}

std::optional<MonoTime> GrpcServerSession::next_time() const {
  std::optional<MonoTime> next = handshake_deadline_;
  const auto consider = [&](MonoTime when) { next = next ? std::min(*next, when) : when; };
  if (!deadlines_.empty()) consider(deadlines_.begin()->first.first);
  if (ping_sent_) {
    consider(*ping_sent_ + options_.keepalive_timeout);
  } else if (options_.keepalive_interval > Duration::zero()) {
    consider(now_ + options_.keepalive_interval);
  }
  return next;
}

void GrpcServerSession::on_time(MonoTime now) {
  if (handshake_deadline_ && now >= *handshake_deadline_) {
    handshake_deadline_.reset();
    http2_.goaway(Http2Code::kProtocolError, "handshake timeout");
  }
  expire_deadlines(now);
  check_keepalive(now);
}

void GrpcServerSession::expire_deadlines(MonoTime now) {
  while (!deadlines_.empty() && deadlines_.begin()->first.first <= now) {
    CallState& call = *deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    call.cancelled.store(true, std::memory_order_relaxed);
    const Error why = deadline_error();
    // A status would wait for flow control behind the bytes before it.
    if (!call.out().empty()) http2_.reset(call, Http2Code::kCancel);
    fail_call(call, why);
    call.end_reason = why;
  }
}

void GrpcServerSession::check_keepalive(MonoTime now) {
  if (ping_sent_) {
    if (now >= *ping_sent_ + options_.keepalive_timeout) {
      http2_.goaway(Http2Code::kInternalError, "keepalive timeout");
    }
  } else if (options_.keepalive_interval > Duration::zero() &&
             now >= now_ + options_.keepalive_interval) {
    ping_sent_ = now;
    http2_.ping(kKeepaliveOpaque);
  }
}

void GrpcServerSession::begin_shutdown() {
  if (std::exchange(draining_, true)) return;
  http2_.announce_shutdown();
  http2_.ping(kShutdownOpaque);
}

void GrpcServerSession::lost(const Error& why) {
  http2_.abandon_streams([&](Http2Stream& stream) { forget(call_of(stream), why); });
}

}  // namespace truss::net
