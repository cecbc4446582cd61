#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/common/log.h"
#include "truss/net/call.h"
#include "truss/net/http.h"
#include "truss/net/io_thread.h"

namespace truss::net {

/// What a listener takes. kBoth tells HTTP/2 (gRPC) from HTTP/1.x by the first bytes.
enum class Protocols : std::uint8_t { kBoth, kGrpcOnly, kHttpOnly };

/// Whose answers malformed calls get; well-formed ones don't tell the difference.
enum class GrpcDialect : std::uint8_t {
  kCurrent,  ///< grpc-go since 1.41: etcd 3.5 and later
  kGo126,    ///< grpc-go 1.26: etcd 3.4
};

/// Where to listen: `127.0.0.1:2379`, `[::1]:2379`, `:2379` (every interface), `localhost:0` (the
/// kernel's choice of port), or `unix:/path`.
struct ListenAddress {
  std::string address;
  Protocols protocols = Protocols::kBoth;
};

/// Limits and times of a server; the defaults are etcd's.
struct ServerOptions {
  std::size_t io_threads = 1;
  GrpcDialect grpc_dialect = GrpcDialect::kCurrent;
  /// Largest request message; above: RESOURCE_EXHAUSTED.
  std::size_t max_receive_message_bytes = (1536u + 512u) << 10;
  std::uint32_t max_concurrent_streams = std::numeric_limits<std::uint32_t>::max();
  /// Client pings more often than this (with two strikes of grace), or without a call open, get
  /// GOAWAY ENHANCE_YOUR_CALM `too_many_pings`.
  Duration keepalive_min_time = std::chrono::seconds(5);
  bool keepalive_without_calls = false;
  /// After this long without a byte the server pings; 0 switches it off.
  Duration keepalive_interval = std::chrono::hours(2);
  /// ... and closes the connection when nothing comes back in this time.
  Duration keepalive_timeout = std::chrono::seconds(20);
  /// From accept to the first complete preface and SETTINGS.
  Duration handshake_timeout = std::chrono::seconds(120);
  /// From the first byte of an HTTP/1 request to the end of its header.
  Duration http_header_timeout = std::chrono::minutes(5);
  /// Longest silence while (a part of) an HTTP/1 request is due, the wait for the next request on a
  /// kept-alive connection included; renewed by every read; not while an answer is in the making.
  /// 0: no limit. etcd's peer listener: 5 s.
  Duration http_read_timeout{0};
  /// Longest time that a client takes nothing of what is to be sent to it; then the connection is
  /// closed. 0: no limit. etcd's peer listener: 5 s.
  Duration write_timeout{0};
  /// Bytes that the kernel may hold unsent for a connection (TCP_NOTSENT_LOWAT), so that what waits
  /// waits where HttpReply::queued_bytes counts it. 0: the kernel's choice.
  std::size_t unsent_kernel_bytes = 0;
  std::size_t max_http_header_bytes = 1u << 20;
  /// Header list of one gRPC call (HPACK size).
  std::size_t max_header_list_bytes = 1u << 20;
  /// Connections beyond this are closed on accept; 0: no limit of ours.
  std::size_t max_connections = 0;
  /// Unfinished request messages of one connection, together.
  std::size_t max_buffered_request_bytes = 256u << 20;
  /// Answers of one HTTP/2 connection, together, that wait because the client gives no window (each
  /// counted with 1 KiB for itself). While there are more, further answers turn into
  /// RESOURCE_EXHAUSTED and streams that send more are reset; one answer may exceed it alone.
  std::size_t max_queued_reply_bytes = 512u << 20;
  std::size_t stream_high_water = 1u << 20;
  std::size_t stream_low_water = 256u << 10;
  /// HTTP/2 receive windows: of one stream, of one connection.
  std::uint32_t stream_window_bytes = 1u << 20;
  std::uint32_t connection_window_bytes = 16u << 20;
};

/// gRPC over HTTP/2 and HTTP/1.1 on the same ports.
///
/// Life: construct, add_*, listen (binds), start (threads, accepts), shutdown and/or stop.
/// Thread: add_*, listen and start from the owner's thread; handlers run on the net threads and
/// must not block.
class Server {
 public:
  /// `turns`: as for IoThread.
  Server(ServerOptions options, Clock& clock, Logger& logger, Turns* turns = nullptr);
  /// Everything on a thread of the owner's, which must run until stop() returned and must not call
  /// it: `io_threads` does not count. Handlers then share that thread with whatever else lives
  /// there and need no hop to reach it.
  Server(ServerOptions options, IoThread& thread, Clock& clock, Logger& logger);
  ~Server();  ///< stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves a unary method, e.g. `/etcdserverpb.KV/Put`. The service part becomes known: its other
  /// methods answer `unknown method M for service S`, other services `unknown service S`.
  void add_unary(std::string path, UnaryHandler handler);
  /// Serves a streaming method (client, server or both ways).
  void add_stream(std::string path, StreamFactory factory);
  void add_http(HttpRoute route);
  void set_http_filter(HttpFilter filter);
  /// Instead of ServerOptions::grpc_dialect, for who learns it late. Before start().
  void set_grpc_dialect(GrpcDialect dialect);

  /// Binds and listens, so that a taken port shows before any data is touched; nothing is accepted
  /// before start().
  /// Returns: the bound address with its port filled in.
  /// Errors: kUnavailable with etcd's text `listen tcp HOST:PORT: bind: address already in use`;
  /// kInvalidArgument for an address that doesn't parse.
  Result<std::string> listen(const ListenAddress& address);

  /// Starts the net threads and accepts.
  void start();

  /// Graceful end: stops accepting, sends GOAWAY, lets calls finish for at most `patience`, then
  /// stop(). Streams that stay open are ended with UNAVAILABLE after `patience`.
  void shutdown(Duration patience);
  /// Closes every connection at once and joins the threads. Idempotent.
  void stop();

  std::size_t connection_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::net
