#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::net {

/// Names and values of header or trailer fields; names are lower case.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct CallState;

/// What a handler may know of the gRPC call it serves. A cheap handle; copies share the call and
/// may outlive its connection.
///
/// Thread: any.
class CallContext {
 public:
  CallContext() = default;
  explicit CallContext(std::shared_ptr<CallState> state) : state_(std::move(state)) {}

  /// The first value of a request header (`token`, `authorization`, `hasleader`,
  /// `client-api-version`); `name` in lower case. Empty when absent; the view lives as long as
  /// this handle. Values of `-bin` names come decoded from base64.
  std::string_view metadata(std::string_view name) const;
  bool has_metadata(std::string_view name) const;
  /// Every value of a name, in wire order.
  std::vector<std::string_view> all_metadata(std::string_view name) const;

  /// `/etcdserverpb.KV/Put`.
  std::string_view path() const;
  /// `127.0.0.1:40112`, `[::1]:40112`, or `@` for a unix socket.
  std::string_view peer() const;
  /// From `grpc-timeout`; the server itself answers DEADLINE_EXCEEDED and cancels when it passes.
  std::optional<MonoTime> deadline() const;
  /// True once nobody waits for the answer any more: the client cancelled, the deadline passed or
  /// the connection is gone. Work that has not started may be skipped.
  bool cancelled() const;

 private:
  std::shared_ptr<CallState> state_;
};

/// The one answer of a unary call. Move-only; dropping it unanswered sends
/// UNKNOWN `handler dropped the call`, so that no client ever hangs on a bug.
///
/// Thread: any, one at a time. Answers given from other threads are collected per connection and
/// leave in one socket write.
class UnaryReply {
 public:
  UnaryReply() = default;
  explicit UnaryReply(std::shared_ptr<CallState> state) : state_(std::move(state)) {}
  UnaryReply(UnaryReply&&) noexcept = default;
  UnaryReply& operator=(UnaryReply&& other) noexcept;
  ~UnaryReply();

  /// Sends the encoded response message (without the gRPC prefix) or the error as status. The
  /// first call counts; later ones do nothing. No effect when the call is cancelled.
  void finish(Result<SharedBytes> response);
  /// Likewise, with trailers beside grpc-status.
  void finish(Result<SharedBytes> response, Metadata trailers);
  explicit operator bool() const { return state_ != nullptr; }

 private:
  std::shared_ptr<CallState> state_;
};

/// The server's sending side of a streaming call. A handle; copies are the same stream.
///
/// Thread: any; messages of one thread keep their order.
class ServerStream {
 public:
  ServerStream() = default;
  explicit ServerStream(std::shared_ptr<CallState> state) : state_(std::move(state)) {}

  /// Queues one encoded message and returns the bytes of this stream that are not yet handed to
  /// the kernel, this message included. The queue takes all: a sender whose number exceeds
  /// `ServerOptions::stream_high_water` must pause until `StreamHandler::on_writable`.
  /// After the end of the stream the message is dropped and 0 returned.
  std::size_t send(SharedBytes message);
  std::size_t queued_bytes() const;
  /// Ends the stream after what is queued, with a status (code kOk: success) and trailers. The
  /// first call counts.
  void finish(Error status, Metadata trailers = {});
  /// Stops or resumes delivery of incoming messages. While paused at most one flow-control window
  /// of bytes is buffered; the client's sends then block.
  void pause_receiving(bool paused);
  bool cancelled() const;
  explicit operator bool() const { return state_ != nullptr; }

 private:
  std::shared_ptr<CallState> state_;
};

/// One streaming call as its service sees it: made by a StreamFactory, owned by the connection.
///
/// Thread: all callbacks come on the connection's net thread, never two at once, and never inside
/// a call of ServerStream's methods.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  /// One whole message of the client (at most `max_receive_message_bytes`).
  virtual void on_message(SharedBytes message) = 0;
  /// The client will send no more; it still listens.
  virtual void on_half_close() {}
  /// The queue, having been above `stream_high_water`, is below `stream_low_water` again.
  virtual void on_writable() {}
  /// The stream is over; the last callback, exactly once. `why.code` is kOk when our finish() went
  /// out, kCanceled when the client reset it or the connection broke, kDeadlineExceeded, or
  /// kUnavailable when the server stops.
  virtual void on_done(const Error& why) { (void)why; }
};

using UnaryHandler = std::function<void(CallContext, SharedBytes request, UnaryReply)>;
/// Makes the handler when the request headers arrived; null refuses the call, which the factory
/// must have finished through `stream`.
using StreamFactory =
    std::function<std::shared_ptr<StreamHandler>(CallContext, ServerStream stream)>;

}  // namespace truss::net
