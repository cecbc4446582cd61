#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http_url.h"
#include "io_thread_impl.h"
#include "truss/net/http_client.h"

namespace truss::net {

class Dialer;
class Http1ClientSession;

/// One exchange of an HttpClient from call to last callback.
///
/// Thread: `paused` from any; constant parts don't change once started; the rest on the net thread.
struct HttpExchangeState final : std::enable_shared_from_this<HttpExchangeState> {
  enum class Kind : std::uint8_t { kFetch, kOpen, kUpload };

  HttpExchangeState(std::shared_ptr<IoThread::Impl> loop, Kind what, HttpCall request)
      : thread(std::move(loop)), kind(what), call(std::move(request)) {}

  /// A server may have closed a kept-alive connection while the request was on its way.
  bool may_repeat() const {
    return !repeated && (call.repeatable || call.method == "GET" || call.method == "HEAD");
  }
  bool over() const { return handler == nullptr; }
  /// Gives the last callback; later calls do nothing.
  void finish(Result<void> how);
  /// Ends it wherever it is.
  void cancel(const Error& why);

  const std::shared_ptr<IoThread::Impl> thread;
  const Kind kind;
  const HttpCall call;
  HttpUrl url;

  std::atomic<bool> paused{false};

  // Net thread only.
  std::shared_ptr<HttpResponseHandler> handler;  ///< null once it is over
  std::shared_ptr<HttpBodySource> source;
  std::shared_ptr<Dialer> dialer;         ///< while connecting
  Http1ClientSession* session = nullptr;  ///< while on a connection
  std::optional<MonoTime> deadline;       ///< by HttpTimes::whole
  std::function<void()> over_hook;        ///< the client forgets it
  bool repeated = false;
};

/// Start line and fields of the request, checked.
/// Errors: kInvalidArgument naming the field that can't be sent.
Result<std::string> request_head(const HttpExchangeState& exchange, const std::string& user_agent);

}  // namespace truss::net
