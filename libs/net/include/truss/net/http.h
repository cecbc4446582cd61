#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/net/call.h"

namespace truss::net {

/// One HTTP/1.x request, its header fields in wire order with lower-case names.
struct HttpRequest {
  std::string method;  ///< `GET`
  std::string target;  ///< as sent: `/v3/kv/range?x=1`
  std::string path;    ///< percent-decoded part before `?`
  std::string query;   ///< raw part after `?`
  Metadata headers;
  std::string body;        ///< empty for routes that stream it
  bool oversized = false;  ///< the body exceeded `HttpRoute::max_body_bytes`; `body` has its start
  /// The client fell silent in mid-body (`ServerOptions::http_read_timeout`); `body` has its start,
  /// and the connection ends with the answer.
  bool stalled = false;
  std::string peer;  ///< `127.0.0.1:40112`

  /// First value of a header field, empty if absent; `name` in lower case.
  std::string_view header(std::string_view name) const;
  /// First percent-decoded value of a query parameter, empty if absent.
  std::string query_value(std::string_view name) const;
  /// Every value of a query parameter, in order.
  std::vector<std::string> query_values(std::string_view name) const;
};

struct HttpState;

/// The answer of one HTTP request, whole or in chunks. A handle; copies are the same answer.
/// Adds `Date` and `Content-Length` (whole) or `Transfer-Encoding: chunked` (in chunks; HTTP/1.0
/// clients get raw bytes and a close). Field names go out as spelled by the caller.
///
/// Thread: any; calls of one thread keep their order.
class HttpReply {
 public:
  HttpReply() = default;
  explicit HttpReply(std::shared_ptr<HttpState> state) : state_(std::move(state)) {}

  /// A whole answer. The first of send/begin counts.
  void send(int status, Metadata headers, std::string body);
  /// Starts an answer in chunks, flushed at once. `trailer` names fields to announce for end().
  void begin(int status, Metadata headers);
  /// Queues a chunk; returns bytes not yet handed to the kernel (0 once the client is gone). Above
  /// `ServerOptions::stream_high_water` pause until on_writable.
  std::size_t write(ByteView chunk);
  /// Ends a chunked answer, with trailer fields if any.
  void end(Metadata trailers = {});
  /// Cuts the connection after what is queued, without the last chunk, as Go's server does when a
  /// handler panics: the client can't take the part for the whole. Before send or begin: without
  /// a byte of an answer.
  void abort();
  /// Bytes given to write() that the kernel has not taken yet.
  std::size_t queued_bytes() const;
  /// True once the client has gone or the answer is complete.
  bool closed() const;

  /// Calls `gone` on the net thread once, if the client leaves before the answer is complete (at
  /// once if it already has).
  void on_disconnect(std::function<void()> gone);
  /// Calls `writable` on the net thread each time the queue drained below `stream_low_water` after
  /// having been above `stream_high_water`.
  void on_writable(std::function<void()> writable);
  /// For routes that stream the body: pieces in order, then once an empty piece with `last` true.
  /// Must be called inside the handler. If the client leaves in mid-body no `last` piece comes, but
  /// on_disconnect does.
  void on_body(std::function<void(ByteView piece, bool last)> piece);
  /// For routes that stream the body: calls `stalled` on the net thread, once, when the client has
  /// been silent in mid-body for `ServerOptions::http_read_timeout`. No further piece comes; the
  /// connection ends with the answer. Must be called inside the handler; without it the connection
  /// is cut.
  void on_stall(std::function<void()> stalled);
  /// Stops or resumes the reading of a streamed body, e.g. while a piece is being written to disk
  /// by another thread. After pause_body(true) on the net thread pieces of what was already read
  /// (at most 256 KiB) may still come; then the client's sends block. No read deadline runs
  /// meanwhile.
  void pause_body(bool paused);

 private:
  std::shared_ptr<HttpState> state_;
};

/// Thread: called on the connection's net thread; must not block.
using HttpHandler = std::function<void(HttpRequest, HttpReply)>;

/// Looks at every request before routing (CORS, host check). True: it has answered.
using HttpFilter = std::function<bool(const HttpRequest&, HttpReply&, Metadata& extra_headers)>;

/// What the handler of a path gets. The longest matching route wins, as in Go's ServeMux.
struct HttpRoute {
  std::string path;  ///< exact; with a trailing `/` the whole subtree
  HttpHandler handler;
  std::size_t max_body_bytes = 4u << 20;
  bool stream_body = false;  ///< call the handler when the headers are in; body by on_body
};

}  // namespace truss::net
