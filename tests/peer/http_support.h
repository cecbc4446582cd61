#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "loopback.h"

namespace truss::peer::testing {

/// The header that lets a request through the gate of a Station with the default cluster.
inline net::Metadata passing(net::Metadata more = {}) {
  net::Metadata headers = {{"X-Server-From", "2"},
                           {"X-Server-Version", "3.4.23"},
                           {"X-Min-Cluster-Version", "3.0.0"},
                           {"X-Etcd-Cluster-Id", "c"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

/// Asks and waits for the answer.
class Browser {
 public:
  explicit Browser(Station& station) : url_(station.url), client_(thread_, runtime_.clock()) {}

  Result<net::HttpResponse> ask(const std::string& method, const std::string& path,
                                net::Metadata headers = {}, std::string body = {}) {
    net::HttpCall call;
    call.method = method;
    call.url = url_ + path;
    call.headers = std::move(headers);
    call.body = std::move(body);
    call.times.whole = std::chrono::seconds(10);
    std::promise<Result<net::HttpResponse>> promise;
    client_.fetch(std::move(call),
                  [&](Result<net::HttpResponse> answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }
  /// `404 text` of the answer.
  std::string said(const std::string& method, const std::string& path, net::Metadata headers = {},
                   std::string body = {}) {
    const auto answer = ask(method, path, std::move(headers), std::move(body));
    if (!answer) return answer.error().message;
    return std::to_string(answer->status) + " " + answer->body;
  }
  net::HttpExchange open(const std::string& path, net::Metadata headers,
                         std::shared_ptr<net::HttpResponseHandler> handler) {
    net::HttpCall call;
    call.url = url_ + path;
    call.headers = std::move(headers);
    return client_.open(std::move(call), std::move(handler));
  }

 private:
  const std::string url_;
  ThreadRuntime runtime_;
  net::IoThread thread_{"browser", runtime_.clock()};
  net::HttpClient client_;
};

}  // namespace truss::peer::testing
