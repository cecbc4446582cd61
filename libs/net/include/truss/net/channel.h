#pragma once

#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/net/call.h"
#include "truss/net/io_thread.h"

namespace truss::net {

struct ChannelOptions {
  Duration connect_timeout = std::chrono::seconds(5);
  /// etcd's client takes any size; a hostile server must not fill our memory.
  std::size_t max_receive_message_bytes = 512u << 20;
  std::uint32_t stream_window_bytes = 4u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
  std::size_t stream_high_water = 1u << 20;
  std::size_t stream_low_water = 256u << 10;
  std::string user_agent = "truss/0.1";
};

struct CallOptions {
  Metadata metadata;                ///< lower-case names; `-bin` values in the clear
  std::optional<Duration> timeout;  ///< sent as grpc-timeout and enforced here
};

/// The answer side of a client's streaming call.
///
/// Thread: callbacks come on the channel's net thread, never inside a method of Channel or
/// ClientStream.
class ClientStreamHandler {
 public:
  virtual ~ClientStreamHandler() = default;
  virtual void on_message(SharedBytes message) = 0;
  /// The sender's queue is below `stream_low_water` again.
  virtual void on_writable() {}
  /// The call is over; the last callback. `status.code` is kOk for success.
  virtual void on_done(const Error& status, const Metadata& trailers) = 0;
};

struct ClientCall;

/// The sending side of a client's streaming call. A handle. Thread: any; one thread's calls keep
/// their order.
class ClientStream {
 public:
  ClientStream() = default;
  explicit ClientStream(std::shared_ptr<ClientCall> call) : call_(std::move(call)) {}
  /// Queues a message; returns bytes not yet written (see ServerStream::send).
  std::size_t send(SharedBytes message);
  /// No more messages will follow.
  void half_close();
  /// Resets the call; on_done follows with kCanceled.
  void cancel();
  explicit operator bool() const { return call_ != nullptr; }

 private:
  std::shared_ptr<ClientCall> call_;
};

/// One HTTP/2 connection to one address, with any number of calls at a time. Connects on the first
/// call and again on the first call after it broke; never retries a call by itself.
///
/// Thread: any. Unary calls made on the net thread itself start without a queue.
class Channel {
 public:
  /// `address`: `127.0.0.1:2379`, `localhost:2379`, `unix:/path`. The thread must outlive this.
  Channel(IoThread& thread, Clock& clock, std::string address, ChannelOptions options = {});
  /// Closes; unfinished calls end with kUnavailable, on the net thread, before this returns.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Gets the response message, or the status as error: what the server sent, kUnavailable when
  /// the connection failed, kDeadlineExceeded. Called once, on the net thread.
  using Done = absl::AnyInvocable<void(Result<SharedBytes>)>;
  /// `path`: `/etcdserverpb.KV/Put`; must stay valid until `done` (literals do).
  void unary(std::string_view path, SharedBytes request, Done done,
             const CallOptions& options = {});
  ClientStream open(std::string_view path, std::shared_ptr<ClientStreamHandler> handler,
                    const CallOptions& options = {});

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace truss::net
