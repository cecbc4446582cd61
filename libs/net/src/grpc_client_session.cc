#include "grpc_client_session.h"

#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <charconv>

#include "truss/common/base64.h"
#include "truss/net/grpc_text.h"

namespace truss::net {
namespace {

ClientCall& client_call_of(Http2Stream& stream) { return static_cast<ClientCall&>(stream); }

int number_of(std::string_view text, int otherwise) {
  int value = otherwise;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ptr == text.data() + text.size() ? value : otherwise;
}

/// gRPC's table for answers without grpc-status.
Code code_of_http(int status) {
  switch (status) {
    case 400:
      return Code::kInternal;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

Code code_of_reset(Http2Code code) {
  switch (code) {
    case Http2Code::kRefusedStream:
      return Code::kUnavailable;
    case Http2Code::kCancel:
      return Code::kCanceled;
    case Http2Code::kEnhanceYourCalm:
      return Code::kResourceExhausted;
    default:
      return Code::kInternal;
  }
}

}  // namespace

GrpcClientSession::GrpcClientSession(const ChannelOptions& options, Clock& clock,
                                     std::string authority, SessionOwner& owner)
    : options_(options),
      clock_(clock),
      authority_(std::move(authority)),
      owner_(owner),
      http2_({.server = false,
              .stream_window_bytes = options.stream_window_bytes,
              .connection_window_bytes = options.connection_window_bytes},
             *this),
      handshake_deadline_(clock.now() + options.connect_timeout) {}

void GrpcClientSession::start(const std::shared_ptr<ClientCall>& call, bool half_close) {
  absl::InlinedVector<HeaderField, 12> fields = {{":method", "POST"},
                                                 {":scheme", "http"},
                                                 {":path", call->path},
                                                 {":authority", authority_},
                                                 {"te", "trailers"},
                                                 {"content-type", "application/grpc"},
                                                 {"user-agent", options_.user_agent}};
  std::string timeout;
  if (call->options.timeout) {
    timeout = format_grpc_timeout(*call->options.timeout);
    fields.push_back({"grpc-timeout", timeout});
  }
  Metadata& metadata = call->options.metadata;
  for (auto& [name, value] : metadata) {
    if (name.ends_with("-bin")) value = base64_encode_unpadded(value);
    fields.push_back({name, value});
  }
  call->self = call;
  call->session = this;
  if (!http2_.request(*call, fields)) return end(*call, {Code::kUnavailable, "no more streams"});
  if (call->options.timeout) {
    call->deadline = clock_.now() + *call->options.timeout;
    deadlines_.emplace(std::pair(*call->deadline, call->stream_id()), call.get());
  }
  if (half_close) http2_.end_body(*call, false);
  owner_.session_changed();
}

void GrpcClientSession::send(ClientCall& call, SharedBytes message) {
  call.out().push(std::move(message));
  http2_.resume(call);
  owner_.session_changed();
}

void GrpcClientSession::half_close(ClientCall& call) {
  http2_.end_body(call, false);
  owner_.session_changed();
}

void GrpcClientSession::cancel(ClientCall& call, Error why) {
  if (call.cancelled) return;
  call.cancelled = true;
  call.status = std::move(why);
  http2_.reset(call, Http2Code::kCancel);
  owner_.session_changed();
}

Result<void> GrpcClientSession::receive(ByteView bytes) { return http2_.receive(bytes); }

void GrpcClientSession::on_header(Http2Stream& stream, std::string_view name,
                                  std::string_view value) {
  ClientCall& call = client_call_of(stream);
  if (call.cancelled) return;
  if (name == "grpc-status") {
    const int code = number_of(value, static_cast<int>(Code::kUnknown));
    call.status = Error{static_cast<Code>(code), {}};
  } else if (name == "grpc-message") {
    call.status_message = decode_grpc_message(value);
  } else if (name == ":status") {
    call.http_status = number_of(value, 0);
  } else if (name != "content-type") {
    call.trailers.emplace_back(name, value);
  }
}

void GrpcClientSession::on_headers_complete(Http2Stream& stream, bool /*trailers*/) {
  ClientCall& call = client_call_of(stream);
  if (call.status && !call.cancelled) call.status->message = call.status_message;
}

void GrpcClientSession::on_data(Http2Stream& stream, ByteView bytes) {
  ClientCall& call = client_call_of(stream);
  http2_.consume(call, bytes.size());
  while (!bytes.empty() && !call.cancelled) {
    SharedBytes message;
    const Result<bool> complete = call.deframer.next(bytes, message);
    if (!complete) return cancel(call, complete.error());
    if (*complete) deliver(call, std::move(message));
  }
}

void GrpcClientSession::deliver(ClientCall& call, SharedBytes message) {
  if (call.handler != nullptr) return call.handler->on_message(std::move(message));
  call.response = std::move(message);
  call.got_response = true;
}

void GrpcClientSession::on_remote_end(Http2Stream& stream) {
  ClientCall& call = client_call_of(stream);
  if (!call.status) {
    const bool plain = call.http_status != 200;
    call.status = Error{plain ? code_of_http(call.http_status) : Code::kInternal,
                        plain ? "unexpected HTTP status code received from server: " +
                                    std::to_string(call.http_status)
                              : "server closed the stream without sending trailers"};
  }
  // The verdict is in: what we would still send, nobody reads.
  if (!call.local_ended()) http2_.reset(call, Http2Code::kCancel);
  end(call, *call.status);
}

void GrpcClientSession::on_sent(Http2Stream& stream, std::size_t bytes) {
  ClientCall& call = client_call_of(stream);
  const std::size_t left = call.queued.fetch_sub(bytes) - bytes;
  if (left >= options_.stream_low_water || !call.above_high.load()) return;
  if (call.above_high.exchange(false) && call.handler != nullptr) call.handler->on_writable();
}

void GrpcClientSession::on_closed(Http2Stream& stream, Http2Code code) {
  ClientCall& call = client_call_of(stream);
  const std::shared_ptr<ClientCall> keep = std::move(call.self);
  if (call.over.load()) return;
  if (!call.status) {
    call.status = Error{code_of_reset(code), "stream terminated by RST_STREAM with error code " +
                                                 std::to_string(static_cast<unsigned>(code))};
  }
  end(call, *call.status);
}

void GrpcClientSession::on_goaway(std::int32_t /*last*/, Http2Code /*code*/, ByteView /*debug*/) {
  draining_ = true;
}

void GrpcClientSession::end(ClientCall& call, Error status) {
  if (call.over.exchange(true)) return;
  const std::shared_ptr<ClientCall> keep = call.shared_from_this();
  call.session = nullptr;
  if (call.deadline) deadlines_.erase(std::pair(*call.deadline, call.stream_id()));
  if (const auto handler = std::move(call.handler)) {
    return handler->on_done(status, call.trailers);
  }
  auto done = std::move(call.done);
  if (status.code != Code::kOk) return done(tl::unexpected(std::move(status)));
  if (!call.got_response) return done(fail(Code::kInternal, "server sent no response message"));
  done(std::move(call.response));
}

std::optional<MonoTime> GrpcClientSession::next_time() const {
  std::optional<MonoTime> next = handshake_deadline_;
  if (deadlines_.empty()) return next;
  const MonoTime first = deadlines_.begin()->first.first;
  return next ? std::min(*next, first) : first;
}

void GrpcClientSession::on_time(MonoTime now) {
  if (handshake_deadline_ && now >= *handshake_deadline_) handshake_failed_ = true;
  while (!deadlines_.empty() && deadlines_.begin()->first.first <= now) {
    ClientCall& call = *deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    cancel(call, {Code::kDeadlineExceeded, "context deadline exceeded"});
    end(call, *call.status);
  }
}

void GrpcClientSession::lost(const Error& why) {
  const Error status{Code::kUnavailable, why.sys_errno == 0 ? std::string("transport is closing")
                                                            : authority_ + ": " + why.message};
  http2_.abandon_streams([&](Http2Stream& stream) {
    ClientCall& call = client_call_of(stream);
    const std::shared_ptr<ClientCall> keep = std::move(call.self);
    end(call, call.cancelled ? *call.status : status);
  });
}

}  // namespace truss::net
