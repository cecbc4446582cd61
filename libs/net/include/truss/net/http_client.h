#pragma once

#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/net/call.h"
#include "truss/net/io_thread.h"

namespace truss::net {

/// Limits in time of one exchange; zero: no limit. Whichever passes ends it with kDeadlineExceeded.
struct HttpTimes {
  /// Name look-up and connect, over all addresses of the name together.
  Duration connect = std::chrono::seconds(2);
  /// Longest silence while (a part of) the response is due: renewed by every read, suspended while
  /// the exchange is paused. Counts from the moment the request is sent (uploads: its last piece).
  Duration read{0};
  /// Longest time that the kernel takes nothing of what is to be sent; renewed by every write.
  Duration write{0};
  /// From the last byte of the request to the last byte of the response.
  Duration response{0};
  /// From the call of the client's method to the end.
  Duration whole{0};
};

/// One request to make.
struct HttpCall {
  std::string method = "GET";
  /// `http://127.0.0.1:2380/raft`, `http://[::1]:2380/`, `http://host:2380/members?x=1`; port 80
  /// unless given. `https` is refused with kUnimplemented until TLS is here.
  std::string url = {};
  /// Sent as spelled. Host, Content-Length or Transfer-Encoding, User-Agent (unless given) and
  /// Accept-Encoding (`identity` unless given) are added.
  Metadata headers = {};
  /// The whole body; ignored by upload().
  std::string body = {};
  HttpTimes times = {};
  /// Largest response body of fetch() and upload(); above: kResourceExhausted.
  std::size_t max_response_bytes = 4u << 20;
  /// fetch(): may be sent again, once, on a fresh connection when a kept-alive one turns out to
  /// have been closed by the server before a byte of the response came. GET and HEAD always may.
  bool repeatable = false;
};

/// What the server answered; any status counts as success of the exchange. Field names are lower
/// case, in wire order.
struct HttpResponse {
  int status = 0;
  Metadata headers;
  std::string body;  ///< empty in HttpResponseHandler::on_head

  /// First value of a header field, empty if absent; `name` in lower case.
  std::string_view header(std::string_view name) const;
};

/// A streamed response as its reader sees it.
///
/// Thread: callbacks come on the client's net thread, one at a time, never inside a method of
/// HttpClient or HttpExchange; they must not block.
class HttpResponseHandler {
 public:
  virtual ~HttpResponseHandler() = default;
  /// Status and fields (1xx answers are skipped). Not called when the exchange fails before.
  virtual void on_head(HttpResponse head) = 0;
  /// A piece of the body, at most 256 KiB; cut anywhere.
  virtual void on_body(ByteView piece) = 0;
  /// The last callback, exactly once. Success: the body is complete (last chunk, all of
  /// Content-Length, or the server's end where neither was given). Errors: see HttpClient.
  virtual void on_end(Result<void> how) = 0;
};

/// Where the body of an upload comes from, piece by piece.
///
/// Thread: pull() comes on the client's net thread and must not block: reading a file belongs on
/// another thread, which calls HttpExchange::body_ready when it has something.
class HttpBodySource {
 public:
  /// What pull() has to say.
  enum class Pull : std::uint8_t {
    kPiece,  ///< `piece` is the next part of the body (empty ones are skipped)
    kLater,  ///< nothing now: pull again after HttpExchange::body_ready
    kEnd,    ///< the body is complete
  };
  virtual ~HttpBodySource() = default;
  /// Asked only when what was pulled before has gone to the kernel, but for about 256 KiB.
  /// Errors: end the exchange with that error; the connection is cut without the last chunk, so the
  /// server can't take the part for the whole.
  virtual Result<Pull> pull(SharedBytes& piece) = 0;
};

struct HttpExchangeState;

/// The reins of a running exchange. A handle; copies hold the same exchange; dropping it changes
/// nothing.
///
/// Thread: any.
class HttpExchange {
 public:
  HttpExchange() = default;
  explicit HttpExchange(std::shared_ptr<HttpExchangeState> state) : state_(std::move(state)) {}

  /// Ends it: the connection is closed, and the last callback comes with kCanceled (unless it has
  /// come). No effect later.
  void cancel();
  /// Stops or resumes the reading of a streamed response. After pause(true) on the net thread
  /// pieces of what was already read (at most 256 KiB) may still come; then the server's sends
  /// block.
  void pause(bool paused);
  /// HttpBodySource::pull, having said kLater, is worth another try. Cheap; may come too often.
  void body_ready();
  explicit operator bool() const { return state_ != nullptr; }

 private:
  std::shared_ptr<HttpExchangeState> state_;
};

struct HttpClientOptions {
  /// Kept-alive connections that wait for the next fetch(), of one host and port.
  std::size_t max_idle_per_host = 64;
  /// ... and for how long. etcd closes idle peer connections after 5 s: going first avoids races.
  Duration idle_timeout = std::chrono::seconds(4);
  /// Interval of the kernel's probes on a silent connection.
  Duration tcp_keepalive = std::chrono::seconds(30);
  std::size_t max_header_bytes = 1u << 20;
  std::string user_agent = "truss/0.1";
};

/// HTTP/1.1 requests to any number of hosts, without redirects, cookies, proxies or compression.
///
/// Errors of an exchange: kInvalidArgument (URL, field name or value that can't be sent),
/// kUnimplemented (https), kUnavailable (look-up, connect, or the connection broke, also in the
/// middle of a body), kDeadlineExceeded (HttpTimes), kInternal (what came is no HTTP/1.1
/// response), kResourceExhausted (header or body too large), kCanceled (cancel, or the client is
/// destroyed). Messages name the URL.
///
/// Thread: any. Callbacks come on `thread`.
class HttpClient {
 public:
  /// `thread` and `clock` must outlive this.
  HttpClient(IoThread& thread, Clock& clock, HttpClientOptions options = {});
  /// Unfinished exchanges end with kCanceled, on the net thread, before this returns.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  using Done = absl::AnyInvocable<void(Result<HttpResponse>)>;

  /// A request with a small body on a kept-alive connection, or a new one. `done` comes once.
  HttpExchange fetch(HttpCall call, Done done);
  /// A request whose response is read in pieces, for as long as the server likes, on a connection
  /// of its own.
  HttpExchange open(HttpCall call, std::shared_ptr<HttpResponseHandler> handler);
  /// A request whose chunked body is pulled from `source`, on a connection of its own. A response
  /// that comes before the body is through ends the sending: `done` gets it.
  HttpExchange upload(HttpCall call, std::shared_ptr<HttpBodySource> source, Done done);
  /// Closes the kept-alive connections that wait.
  void close_idle();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace truss::net
