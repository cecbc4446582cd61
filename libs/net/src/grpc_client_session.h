#pragma once

#include <absl/container/btree_map.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "session.h"
#include "truss/net/channel.h"
#include "truss/net/grpc_frame.h"
#include "truss/net/http2_session.h"

namespace truss::net {

class GrpcClientSession;

/// One call of a client.
///
/// Lives on: the channel's net thread, but for the atomics.
struct ClientCall final : Http2Stream, std::enable_shared_from_this<ClientCall> {
  ClientCall(IoThread::Impl& loop, std::size_t max_message, std::size_t high_water)
      : thread(loop), high_water_bytes(high_water), deframer(max_message) {}

  IoThread::Impl& thread;
  std::size_t high_water_bytes;
  std::string_view path;
  CallOptions options;
  std::atomic<bool> over{false};
  std::atomic<bool> above_high{false};
  std::atomic<std::size_t> queued{0};

  GrpcClientSession* session = nullptr;  ///< null before it starts and once it is over
  std::shared_ptr<ClientCall> self;
  Channel::Done done;                            ///< unary
  std::shared_ptr<ClientStreamHandler> handler;  ///< streams
  std::optional<MonoTime> deadline;
  GrpcDeframer deframer;
  SharedBytes response;
  bool got_response = false;
  bool cancelled = false;
  int http_status = 0;
  std::optional<Error> status;  ///< from grpc-status, or our own verdict
  std::string status_message;
  Metadata trailers;
};

/// The gRPC client's side of one connection.
///
/// Lives on: one net thread.
class GrpcClientSession final : public Session, private Http2Handler {
 public:
  GrpcClientSession(const ChannelOptions& options, Clock& clock, std::string authority,
                    SessionOwner& owner);

  /// Starts a call whose fields are filled in. `half_close`: out() is the whole request.
  void start(const std::shared_ptr<ClientCall>& call, bool half_close);
  void send(ClientCall& call, SharedBytes message);
  void half_close(ClientCall& call);
  void cancel(ClientCall& call, Error why);
  /// The server has said that it takes no new calls here.
  bool draining() const { return draining_; }

  Result<void> receive(ByteView bytes) override;
  void pull(std::string& out, std::size_t limit_bytes) override { http2_.pull(out, limit_bytes); }
  bool finished() const override { return http2_.finished() || handshake_failed_; }
  std::optional<MonoTime> next_time() const override;
  void on_time(MonoTime now) override;
  void begin_shutdown() override { http2_.goaway(Http2Code::kNoError, {}); }
  void lost(const Error& why) override;

 private:
  Http2Stream* on_request() override { return nullptr; }
  void on_header(Http2Stream& stream, std::string_view name, std::string_view value) override;
  void on_headers_complete(Http2Stream& stream, bool trailers) override;
  void on_data(Http2Stream& stream, ByteView bytes) override;
  void on_remote_end(Http2Stream& stream) override;
  void on_sent(Http2Stream& stream, std::size_t bytes) override;
  void on_closed(Http2Stream& stream, Http2Code code) override;
  void on_goaway(std::int32_t last_stream_id, Http2Code code, ByteView debug) override;
  void on_settings() override { handshake_deadline_.reset(); }

  void deliver(ClientCall& call, SharedBytes message);
  void end(ClientCall& call, Error status);

  const ChannelOptions& options_;
  Clock& clock_;
  std::string authority_;
  SessionOwner& owner_;
  Http2Session http2_;
  absl::btree_map<std::pair<MonoTime, std::int32_t>, ClientCall*> deadlines_;
  std::optional<MonoTime> handshake_deadline_;
  bool handshake_failed_ = false;
  bool draining_ = false;
};

}  // namespace truss::net
