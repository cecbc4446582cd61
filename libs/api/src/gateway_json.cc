#include "gateway_json.h"

#include "gateway.h"
#include "proto_bytes.h"
#include "truss/net/http_text.h"

namespace truss::api {

std::string error_body(const Error& error, server::CompatLevel level) {
  const std::string code = std::to_string(static_cast<int>(error.code));
  if (dialect_of(level) == JsonDialect::kV2) {
    return "{\"code\":" + code + ",\"message\":" + json_string(error.message, false) + "}";
  }
  const std::string text = json_string(error.message);
  if (level == server::CompatLevel::k34) {
    return "{\"error\":" + text + ",\"message\":" + text + ",\"code\":" + code + "}";
  }
  return "{\"error\":" + text + ",\"code\":" + code + ",\"message\":" + text + "}";
}

std::string stream_error_line(const Error& error, server::CompatLevel level) {
  if (dialect_of(level) == JsonDialect::kV2)
    return "{\"error\":" + error_body(error, level) + "}\n";
  const int status = http_status(error.code, level);
  return "{\"error\":{\"grpc_code\":" + std::to_string(static_cast<int>(error.code)) +
         ",\"http_code\":" + std::to_string(status) + ",\"message\":" + json_string(error.message) +
         ",\"http_status\":" + json_string(net::reason_of(status)) + "}}";
}

void reply_error(net::HttpReply& reply, const Error& error, server::CompatLevel level,
                 bool from_call) {
  const int status = http_status(error.code, level);
  const std::string body = error_body(error, level);
  net::Metadata headers = {{"Content-Type", "application/json"}};
  if (!from_call || level != server::CompatLevel::k34) {
    return reply.send(status, std::move(headers), body);
  }
  // 3.4's gateway hands on what gRPC's trailers-only answer held.
  headers.emplace_back("Trailer", "Grpc-Trailer-Content-Type");
  reply.begin(status, std::move(headers));
  reply.write(body);
  reply.end({{"Grpc-Trailer-Content-Type", "application/grpc"}});
}

Result<std::string> response_json(const Method& method, ByteView encoded, JsonDialect dialect) {
  const auto message = new_message(*method.response);
  if (!message->ParseFromArray(encoded.data(), static_cast<int>(encoded.size()))) {
    return fail(Code::kInternal, "response of " + method.path() + " does not parse");
  }
  std::string out;
  append_json(out, *message, dialect);
  return out;
}

void JsonLines::begin(int status) {
  if (begun_.exchange(true)) return;
  net::Metadata headers = {{"Content-Type", "application/json"}};
  if (status == 200) {
    headers.emplace_back("Grpc-Metadata-Content-Type", "application/grpc");
  }
  reply_.begin(status, std::move(headers));
}

std::size_t JsonLines::send(SharedBytes message) {
  auto json = response_json(method_, message.view(), dialect_of(level_));
  if (!json) {
    finish(std::move(json).error());
    return 0;
  }
  begin(200);
  queued_ = reply_.write("{\"result\":" + *json + "}\n");
  return queued_;
}

void JsonLines::finish(Error status) {
  if (status.code != Code::kOk) {
    begin(http_status(status.code, level_));
    reply_.write(stream_error_line(status, level_));
  } else if (!begun_.exchange(true)) {  // nothing was sent, so no header of a call either
    const bool typed = dialect_of(level_) == JsonDialect::kV1;
    reply_.begin(200,
                 typed ? net::Metadata{{"Content-Type", "application/json"}} : net::Metadata{});
  }
  reply_.end();
}

}  // namespace truss::api
