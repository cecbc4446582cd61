#include "grpc_server_session.h"

#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <array>

#include "status_fields.h"
#include "truss/net/grpc_text.h"

namespace truss::net {
namespace {

constexpr std::uint64_t kKeepaliveOpaque = 0;
constexpr std::uint64_t kShutdownOpaque = 0x7472757373627965;  // "trussbye"
constexpr std::string_view kGrpc = "application/grpc";
constexpr std::size_t kFieldOverhead = 32;    // RFC 9113 §6.5.2
constexpr std::size_t kReplyOverhead = 1024;  // a call that waits to be taken weighs it

CallState& call_of(Http2Stream& stream) { return static_cast<CallState&>(stream); }

std::string_view response_type(const CallState& call) {
  return call.head.content_type.empty() ? kGrpc : std::string_view(call.head.content_type);
}

using FieldList = absl::InlinedVector<HeaderField, 8>;

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

void GrpcServerSession::on_header(Http2Stream& stream, std::string_view name,
                                  std::string_view value) {
  CallState& call = call_of(stream);
  RequestHead& head = call.head;
  if (head.complete) return;
  head.list_bytes += name.size() + value.size() + kFieldOverhead;
  if (head.list_bytes > options_.max_header_list_bytes) {
    head.error = Error{Code::kInternal, "peer header list size exceeded limit"};
    return;
  }
  if (name == ":path") {
    call.path = value;
  } else if (name == ":method") {
    head.is_post = value == "POST";
    if (!head.is_post) head.verb = value;
  } else if (name == "content-type") {
    std::string_view subtype;
    head.is_grpc = parse_grpc_content_type(value, subtype);
    if (value != kGrpc) head.content_type = value;
  } else if (!name.starts_with(':')) {
    take_metadata(call, name, value);
  }
}

void GrpcServerSession::take_metadata(CallState& call, std::string_view name,
                                      std::string_view value) {
  std::optional<Error>& error = call.head.error;
  if (name == "grpc-timeout") {
    auto timeout = parse_grpc_timeout(value);
    if (timeout) {
      call.deadline = now_ + std::min<Duration>(*timeout, MonoTime::max() - now_);
    } else if (!error) {
      error = std::move(timeout).error();
    }
  } else if (name == "grpc-encoding") {
    call.head.encoding = value;
  } else if (name.ends_with("-bin")) {
    auto bytes = decode_base64(value);
    if (bytes) {
      call.headers.add(name, *bytes);
    } else if (!error && !old_dialect()) {
      error = Error{Code::kInternal, "malformed binary metadata " + quoted(value) + " in header " +
                                         quoted(name) + ": " + bytes.error().message};
    }
  } else if (name == "connection") {
    call.head.reset = !old_dialect();
  } else if (name != "te" && !name.starts_with("grpc-")) {
    call.headers.add(name, value);
  }
}

void GrpcServerSession::on_headers_complete(Http2Stream& stream, bool /*trailers*/) {
  CallState& call = call_of(stream);
  if (std::exchange(call.head.complete, true)) return;
  route(call);
}

/// False if the request is no gRPC call; it has its answer then.
bool GrpcServerSession::check_head(CallState& call) {
  const RequestHead& head = call.head;
  if (head.reset || (old_dialect() && (!head.is_grpc || head.error))) {
    call.answered = true;
    http2_.reset(call, Http2Code::kProtocolError);
  } else if (!head.is_grpc) {
    const Error status{Code::kInternal,
                       "invalid gRPC request content-type " + quoted(head.content_type)};
    answer_at_once(call, status, {}, "415");
  } else if (!head.is_post && !old_dialect()) {
    const Error status{Code::kInternal, "Received a HEADERS frame with :method " +
                                            quoted(head.verb) + " which should be POST"};
    answer_at_once(call, status, {}, "405");
  } else if (head.error) {
    answer_at_once(call, *head.error, {}, "400");
  }
  return !call.answered;
}

void GrpcServerSession::route(CallState& call) {
  if (!check_head(call)) return;
  const std::string& encoding = call.head.encoding;
  call.method = table_.find_method(call.path);
  if (call.method == nullptr) {
    return fail_call(call, unknown_method(call));
  }
  if (!encoding.empty() && encoding != "identity") {
    return fail_call(call,
                     {Code::kUnimplemented,
                      "grpc: Decompressor is not installed for grpc-encoding " + quoted(encoding)});
  }
  if (call.deadline && *call.deadline <= now_) {
    call.cancelled.store(true, std::memory_order_relaxed);
    return fail_call(call, deadline_error());
  }
  if (call.deadline) deadlines_.emplace(DeadlineKey(*call.deadline, call.stream_id()), &call);
  if (call.method->stream) {
    call.handler = call.method->stream(CallContext(call.self), ServerStream(call.self));
  }
}

Error GrpcServerSession::unknown_method(const CallState& call) const {
  const bool malformed = call.path.find('/', 1) == std::string::npos;
  return {malformed && old_dialect() ? Code::kResourceExhausted : Code::kUnimplemented,
          table_.unknown_method_text(call.path)};
}

void GrpcServerSession::on_data(Http2Stream& stream, ByteView bytes) {
  CallState& call = call_of(stream);
  if (call.paused && !call.answered) {
    call.held.append(bytes);
    http2_.consume_connection(bytes.size());
    return;
  }
  http2_.consume(call, bytes.size());
  deliver(call, bytes);
}

void GrpcServerSession::deliver(CallState& call, ByteView bytes) {
  buffered_bytes_ -= call.deframer.buffered_bytes();
  while (!bytes.empty() && !call.answered) {
    SharedBytes message;
    const Result<bool> complete = call.deframer.next(bytes, message);
    if (!complete) {
      fail_call(call, complete.error());
    } else if (*complete) {
      deliver_message(call, std::move(message));
    }
  }
  const std::size_t unfinished = call.deframer.buffered_bytes();
  if (buffered_bytes_ + unfinished > options_.max_buffered_request_bytes) {
    fail_call(call, {Code::kResourceExhausted,
                     "grpc: unfinished request messages of this connection exceed " +
                         std::to_string(options_.max_buffered_request_bytes) + " bytes"});
  }
  if (call.answered) call.deframer.clear();
  buffered_bytes_ += call.deframer.buffered_bytes();
}

void GrpcServerSession::deliver_message(CallState& call, SharedBytes message) {
  if (call.handler != nullptr) return call.handler->on_message(std::move(message));
  if (call.method->stream || std::exchange(call.dispatched, true)) return;
  call.method->unary(CallContext(call.self), std::move(message), UnaryReply(call.self));
}

void GrpcServerSession::on_remote_end(Http2Stream& stream) {
  CallState& call = call_of(stream);
  if (call.answered) return;
  if (call.paused) {
    call.half_close_held = true;
  } else {
    half_close(call);
  }
}

void GrpcServerSession::half_close(CallState& call) {
  const bool unary = static_cast<bool>(call.method->unary);
  if (call.deframer.mid_message() || (unary && !call.dispatched)) {
    return fail_call(call, cut_short(call));
  }
  if (call.handler != nullptr) call.handler->on_half_close();
}

Error GrpcServerSession::cut_short(const CallState& call) const {
  if (!old_dialect()) return {Code::kInternal, "unexpected EOF"};
  return {Code::kUnknown, call.deframer.mid_message() ? "unexpected EOF" : "EOF"};
}

Error GrpcServerSession::deadline_error() const {
  return {old_dialect() ? Code::kUnknown : Code::kDeadlineExceeded, "context deadline exceeded"};
}

void GrpcServerSession::resume_receiving(CallState& call) {
  if (!std::exchange(call.paused, false)) return;
  std::string held;
  held.swap(call.held);
  http2_.consume_stream(call, held.size());
  deliver(call, held);
  if (std::exchange(call.half_close_held, false) && !call.answered) half_close(call);
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

void GrpcServerSession::answer(CallState& call, Command& command) {
  const bool succeeds = command.extra == nullptr || command.extra->status.code == Code::kOk;
  if (call.method->unary && succeeds) {
    if (!reply_room()) return fail_call(call, no_reply_room());
    call.out().push(std::move(command.bytes));
    call.queued.fetch_add(call.out().size_bytes());
    weigh(call);
  }
  finish(call, std::move(command.extra));
}

void GrpcServerSession::send(CallState& call, SharedBytes message) {
  if (reply_room()) {
    send_headers(call);
    call.out().push(std::move(message));
    weigh(call);
    return http2_.resume(call);
  }
  // A status would wait behind what is queued, and that is what must go.
  call.answered = true;
  call.end_reason = no_reply_room();
  call.out().clear();
  weigh(call);
  http2_.reset(call, Http2Code::kEnhanceYourCalm);
}

/// Brings the connection's account up to date with what waits on `call`.
void GrpcServerSession::weigh(CallState& call) {
  const std::size_t now = call.out().empty() ? 0 : call.out().size_bytes() + kReplyOverhead;
  queued_reply_bytes_ += now - call.charged_bytes;
  call.charged_bytes = now;
}

Error GrpcServerSession::no_reply_room() const {
  return {Code::kResourceExhausted,
          "grpc: answers that this connection's client does not take "
          "exceed " +
              std::to_string(options_.max_queued_reply_bytes) + " bytes"};
}

void GrpcServerSession::send_headers(CallState& call) {
  if (std::exchange(call.headers_sent, true)) return;
  const std::array<HeaderField, 2> fields = {
      {{":status", "200"}, {"content-type", response_type(call)}}};
  http2_.respond(call, fields, false);
  ping_policy_.note_sent();
}

void GrpcServerSession::finish(CallState& call, std::unique_ptr<CommandExtra> status) {
  const bool failed = status != nullptr && status->status.code != Code::kOk;
  if (!call.headers_sent && (failed || call.out().empty())) {
    static const CommandExtra kOk;
    const CommandExtra& end = status != nullptr ? *status : kOk;
    return answer_at_once(call, end.status, end.fields, "200");
  }
  send_headers(call);
  call.answered = true;
  call.end_status = std::move(status);
  call.end_reason = {Code::kOk, {}};
  http2_.end_body(call, true);
}

void GrpcServerSession::fail_call(CallState& call, Error error) {
  if (call.answered) return;
  auto extra = std::make_unique<CommandExtra>();
  extra->status = error;
  finish(call, std::move(extra));
  call.end_reason = std::move(error);
}

void GrpcServerSession::answer_at_once(CallState& call, const Error& status, const Metadata& fields,
                                       std::string_view http_status) {
  call.answered = call.headers_sent = true;
  call.end_reason = {Code::kOk, {}};
  const StatusFields end(status, fields);
  FieldList list = {{":status", http_status}, {"content-type", response_type(call)}};
  end.append_to(list);
  http2_.respond(call, list, true);
  ping_policy_.note_sent();
}

void GrpcServerSession::on_trailers_due(Http2Stream& stream) {
  CallState& call = call_of(stream);
  if (call.end_status == nullptr) {
    static constexpr std::array<HeaderField, 2> kOk = {
        {{"grpc-status", "0"}, {"grpc-message", ""}}};
    return http2_.submit_trailers(call, kOk);
  }
  const StatusFields end(call.end_status->status, call.end_status->fields);
  FieldList list;
  end.append_to(list);
  http2_.submit_trailers(call, list);
}

void GrpcServerSession::on_sent(Http2Stream& stream, std::size_t bytes) {
  CallState& call = call_of(stream);
  const std::size_t left = call.queued.fetch_sub(bytes) - bytes;
  weigh(call);
  ping_policy_.note_sent();
  if (left >= options_.stream_low_water || !call.above_high.load()) return;
  if (call.above_high.exchange(false) && call.handler != nullptr) call.handler->on_writable();
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
