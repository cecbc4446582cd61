#pragma once

#include <future>
#include <memory>
#include <string>

#include "truss/common/executor.h"
#include "truss/net/http_client.h"
#include "truss/net/io_thread.h"

namespace truss::peertool {

/// GET requests that leave nothing behind, on a thread of their own. Thread: one.
class Getter {
 public:
  Getter(Runtime& runtime, const std::string& name, Duration timeout,
         const net::HttpClientOptions& options = {})
      : timeout_(timeout),
        thread_(name, runtime.clock()),
        client_(std::make_unique<net::HttpClient>(thread_, runtime.clock(), options)) {}
  ~Getter() {
    client_.reset();
    thread_.stop();
  }
  Getter(const Getter&) = delete;
  Getter& operator=(const Getter&) = delete;

  net::IoThread& thread() { return thread_; }
  net::HttpClient& client() { return *client_; }

  net::HttpCall call(const std::string& url) const {
    net::HttpCall out;
    out.url = url;
    out.times.connect = timeout_;
    out.times.whole = timeout_;
    out.max_response_bytes = 8u << 20;
    return out;
  }

  /// Blocks. Errors: as HttpClient; kUnavailable for any status but 200.
  Result<net::HttpResponse> get(const std::string& url) {
    const auto promise = std::make_shared<std::promise<Result<net::HttpResponse>>>();
    auto future = promise->get_future();
    client_->fetch(call(url), [promise](Result<net::HttpResponse> got) {
      promise->set_value(std::move(got));
    });
    auto got = future.get();
    if (got && got->status != 200) {
      return fail(Code::kUnavailable, url + ": answered " + std::to_string(got->status));
    }
    return got;
  }

 private:
  const Duration timeout_;
  net::IoThread thread_;
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace truss::peertool
