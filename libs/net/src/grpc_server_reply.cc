#include <absl/container/inlined_vector.h>

#include <array>

#include "grpc_server_session.h"
#include "status_fields.h"

/// What goes out on a call: headers, messages, status.
namespace truss::net {
namespace {

constexpr std::size_t kReplyOverhead = 1024;  // a call that waits to be taken weighs it

std::string_view response_type(const CallState& call) {
  if (call.head.content_type.empty()) return "application/grpc";
  return call.head.content_type;
}

using FieldList = absl::InlinedVector<HeaderField, 8>;

}  // namespace

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

}  // namespace truss::net
