#include <algorithm>

#include "grpc_server_session.h"
#include "truss/net/grpc_text.h"

/// What comes in on a call: its head, where it goes, its messages.
namespace truss::net {
namespace {

constexpr std::string_view kGrpc = "application/grpc";
constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 §6.5.2

}  // namespace

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

}  // namespace truss::net
