#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

/// Sends these bytes and nothing more; `404 text` of what is answered until the connection ends.
inline std::string say_half(const std::string& url, const std::string& bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
      ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size())) {
    char piece[4096];
    for (ssize_t n; (n = ::recv(fd, piece, sizeof piece, 0)) > 0;) answer.append(piece, n);
  }
  ::close(fd);
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos) return answer;
  return answer.substr(9, 4) + answer.substr(body + 4);
}

}  // namespace truss::peer::testing
