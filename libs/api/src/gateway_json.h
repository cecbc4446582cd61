#pragma once

#include <string>

#include "context.h"
#include "json_message.h"
#include "method.h"
#include "truss/net/http.h"

namespace truss::api {

inline JsonDialect dialect_of(server::CompatLevel level) {
  return level >= server::CompatLevel::k36 ? JsonDialect::kV2 : JsonDialect::kV1;
}

/// Body of a unary error.
std::string error_body(const Error& error, server::CompatLevel level);
/// The line that ends a stream with an error.
std::string stream_error_line(const Error& error, server::CompatLevel level);
/// Answers a unary call with an error; `from_call`: it came from the method, not from decoding.
void reply_error(net::HttpReply& reply, const Error& error, server::CompatLevel level,
                 bool from_call);

/// The JSON form of an encoded response. Errors: kInternal if it doesn't parse.
Result<std::string> response_json(const Method& method, ByteView encoded, JsonDialect dialect);

/// Sends a stream's messages as lines `{"result":…}`. The HTTP answer begins with the first.
/// Thread: as StreamPort.
class JsonLines final : public StreamPort {
 public:
  JsonLines(const Method& method, net::HttpReply reply, server::CompatLevel level)
      : method_(method), reply_(std::move(reply)), level_(level) {}
  std::size_t send(SharedBytes message) override;
  std::size_t queued_bytes() const override { return queued_; }
  void finish(Error status) override;
  void pause_receiving(bool) override {}
  bool cancelled() const override { return reply_.closed(); }
  /// The reply has room again.
  void drained() { queued_ = 0; }

 private:
  void begin(int status);

  const Method& method_;
  net::HttpReply reply_;
  server::CompatLevel level_;
  std::atomic<bool> begun_{false};
  std::atomic<std::size_t> queued_{0};
};

}  // namespace truss::api
