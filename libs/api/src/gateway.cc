#include "gateway.h"

#include <array>

#include "gateway_json.h"
#include "http_text.h"
#include "proto_bytes.h"

namespace truss::api {
namespace {

constexpr std::size_t kMaxBodyBytes = 4u << 20;  // 2 MiB of message, as base64 and quotes

struct Binding {
  const char* path;
  const char* method;
  server::CompatLevel since = server::CompatLevel::k34;
};

using server::CompatLevel;

// Order matters where two share a path: the first one served wins.
constexpr Binding kBindings[] = {
    {"kv/range", "/etcdserverpb.KV/Range"},
    {"kv/put", "/etcdserverpb.KV/Put"},
    {"kv/deleterange", "/etcdserverpb.KV/DeleteRange"},
    {"kv/txn", "/etcdserverpb.KV/Txn"},
    {"kv/compaction", "/etcdserverpb.KV/Compact"},
    {"watch", "/etcdserverpb.Watch/Watch"},
    {"lease/grant", "/etcdserverpb.Lease/LeaseGrant"},
    {"lease/revoke", "/etcdserverpb.Lease/LeaseRevoke"},
    {"kv/lease/revoke", "/etcdserverpb.Lease/LeaseRevoke"},
    {"lease/keepalive", "/etcdserverpb.Lease/LeaseKeepAlive"},
    {"lease/timetolive", "/etcdserverpb.Lease/LeaseTimeToLive"},
    {"kv/lease/timetolive", "/etcdserverpb.Lease/LeaseTimeToLive"},
    {"lease/leases", "/etcdserverpb.Lease/LeaseLeases"},
    {"kv/lease/leases", "/etcdserverpb.Lease/LeaseLeases"},
    {"cluster/member/add", "/etcdserverpb.Cluster/MemberAdd"},
    {"cluster/member/remove", "/etcdserverpb.Cluster/MemberRemove"},
    {"cluster/member/update", "/etcdserverpb.Cluster/MemberUpdate"},
    {"cluster/member/list", "/etcdserverpb.Cluster/MemberList"},
    {"cluster/member/promote", "/etcdserverpb.Cluster/MemberPromote"},
    {"maintenance/alarm", "/etcdserverpb.Maintenance/Alarm"},
    {"maintenance/status", "/etcdserverpb.Maintenance/Status"},
    {"maintenance/defragment", "/etcdserverpb.Maintenance/Defragment"},
    {"maintenance/hash", "/etcdserverpb.Maintenance/Hash"},
    {"maintenance/hashkv", "/etcdserverpb.Maintenance/HashKV", CompatLevel::k35},
    {"maintenance/snapshot", "/etcdserverpb.Maintenance/Snapshot"},
    {"maintenance/transfer-leadership", "/etcdserverpb.Maintenance/MoveLeader"},
    {"maintenance/downgrade", "/etcdserverpb.Maintenance/Downgrade", CompatLevel::k35},
    {"auth/enable", "/etcdserverpb.Auth/AuthEnable"},
    {"auth/disable", "/etcdserverpb.Auth/AuthDisable"},
    {"auth/status", "/etcdserverpb.Auth/AuthStatus", CompatLevel::k35},
    {"auth/authenticate", "/etcdserverpb.Auth/Authenticate"},
    {"auth/user/add", "/etcdserverpb.Auth/UserAdd"},
    {"auth/user/get", "/etcdserverpb.Auth/UserGet"},
    {"auth/user/list", "/etcdserverpb.Auth/UserList"},
    {"auth/user/delete", "/etcdserverpb.Auth/UserDelete"},
    {"auth/user/changepw", "/etcdserverpb.Auth/UserChangePassword"},
    {"auth/user/grant", "/etcdserverpb.Auth/UserGrantRole"},
    {"auth/user/revoke", "/etcdserverpb.Auth/UserRevokeRole"},
    {"auth/role/add", "/etcdserverpb.Auth/RoleAdd"},
    {"auth/role/get", "/etcdserverpb.Auth/RoleGet"},
    {"auth/role/list", "/etcdserverpb.Auth/RoleList"},
    {"auth/role/delete", "/etcdserverpb.Auth/RoleDelete"},
    {"auth/role/grant", "/etcdserverpb.Auth/RoleGrantPermission"},
    {"auth/role/revoke", "/etcdserverpb.Auth/RoleRevokePermission"},
};

CallInfo info_of(const net::HttpRequest& request, CompatLevel level) {
  CallInfo info;
  std::string_view token = request.header("grpc-metadata-token");
  if (token.empty()) token = request.header("authorization");
  if (level >= CompatLevel::k35 && token.starts_with("Bearer ")) token.remove_prefix(7);
  info.token = token;
  info.client_api_version = request.header("grpc-metadata-client-api-version");
  info.require_leader = request.header("grpc-metadata-hasleader") == "true";
  info.from_gateway = true;
  return info;
}

// The encoded request of one JSON value.
Result<SharedBytes> encode_request(const Method& method, const JsonValue& value,
                                   JsonDialect dialect) {
  const auto message = new_message(*method.request);
  TRUSS_TRY(from_json(value, *message, dialect));
  return serialize(*message);
}

// A whole body as one request: its first value, an empty one if there is none.
Result<SharedBytes> decode_body(const Method& method, ByteView body, JsonDialect dialect) {
  JsonStep step = read_json(body, true);
  switch (step.state) {
    case JsonStep::State::kValue:
      return encode_request(method, step.value, dialect);
    case JsonStep::State::kBad:
      return fail(Code::kInvalidArgument, std::move(step.error));
    case JsonStep::State::kNeedMore:
      break;
  }
  if (step.blank) return SharedBytes();
  return fail(Code::kInvalidArgument, "unexpected EOF");
}

// A body of many values, fed piece by piece to a stream's handler.
// Thread: the connection's.
class BodyFeeder {
 public:
  BodyFeeder(const Method& method, net::HttpReply reply,
             std::shared_ptr<net::StreamHandler> handler, CompatLevel level)
      : method_(method), reply_(std::move(reply)), handler_(std::move(handler)), level_(level) {}

  void feed(ByteView piece, bool last) {
    if (ended_) return;
    buffer_ += piece;
    while (!ended_ && step(last)) {
    }
    if (buffer_.size() > kMaxBodyBytes) bad({Code::kResourceExhausted, "request too large"});
    if (!last || ended_) return;
    // No value at all is an empty request, where exactly one is due.
    if (first_ && !method_.client_streaming) handler_->on_message(SharedBytes());
    end();
  }
  void gone() { handler_->on_done({Code::kCanceled, "context canceled"}); }

 private:
  // Takes one value off the buffer; false if there is none complete.
  bool step(bool last) {
    JsonStep next = read_json(buffer_, last);
    if (next.state == JsonStep::State::kBad) return bad({Code::kUnknown, next.error}), false;
    if (next.state == JsonStep::State::kNeedMore) {
      if (last && !next.blank) bad({Code::kUnknown, "unexpected EOF"});
      return false;
    }
    auto request = encode_request(method_, next.value, dialect_of(level_));
    buffer_.erase(0, next.consumed);
    if (!request) return bad({Code::kUnknown, request.error().message}), false;
    first_ = false;
    handler_->on_message(*std::move(request));
    if (!method_.client_streaming) end();
    return true;
  }

  // As in grpc-gateway: a bad value ends a stream of requests; in v1, and where one request is due,
  // the first one refuses the call.
  void bad(Error error) {
    const bool v2 = dialect_of(level_) == JsonDialect::kV2;
    if (method_.client_streaming && (v2 || !first_)) return end();
    ended_ = true;
    if (!method_.client_streaming) error.code = Code::kInvalidArgument;
    reply_error(reply_, error, level_, false);
    gone();
  }
  void end() {
    ended_ = true;
    handler_->on_half_close();
  }

  const Method& method_;
  net::HttpReply reply_;
  std::shared_ptr<net::StreamHandler> handler_;
  CompatLevel level_;
  std::string buffer_;
  bool first_ = true;
  bool ended_ = false;
};

void refuse_method(const net::HttpRequest&, net::HttpReply& reply, CompatLevel level) {
  if (dialect_of(level) == JsonDialect::kV1) return http_error(reply, 405, "Method Not Allowed");
  reply_error(reply, {Code::kUnimplemented, "Method Not Allowed"}, level, false);
}

void refuse_path(net::HttpReply& reply, CompatLevel level) {
  if (dialect_of(level) == JsonDialect::kV1) return http_error(reply, 404, "Not Found");
  reply_error(reply, {Code::kNotFound, "Not Found"}, level, false);
}

}  // namespace

int http_status(Code code, CompatLevel level) {
  switch (code) {
    case Code::kOk:
      return 200;
    case Code::kCanceled:
      return level >= CompatLevel::k36 ? 499 : 408;
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return 400;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kAborted:
      return 409;
    case Code::kPermissionDenied:
      return 403;
    case Code::kUnauthenticated:
      return 401;
    case Code::kResourceExhausted:
      return 429;
    case Code::kFailedPrecondition:
      return level == CompatLevel::k34 ? 412 : 400;
    case Code::kUnimplemented:
      return 501;
    case Code::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

void Gateway::install(net::Server& net) {
  for (const Binding& binding : kBindings) {
    const Method* method = dispatcher_.methods().find(binding.method);
    if (method == nullptr || context_.level() < binding.since) continue;
    for (const char* prefix : {"/v3/", "/v3beta/"}) {
      add_route(net, prefix + std::string(binding.path), *method);
    }
  }
  for (const char* prefix : {"/v3/", "/v3beta/"}) {
    net.add_http({.path = prefix, .handler = [this](net::HttpRequest, net::HttpReply reply) {
                    refuse_path(reply, context_.level());
                  }});
  }
}

void Gateway::add_route(net::Server& net, const std::string& path, const Method& method) {
  net::HttpRoute route;
  route.path = path;
  route.max_body_bytes = kMaxBodyBytes;
  route.stream_body = method.streaming();
  route.handler = [this, &method](net::HttpRequest request, net::HttpReply reply) {
    if (request.method != "POST") return refuse_method(request, reply, context_.level());
    method.streaming() ? stream(method, std::move(request), std::move(reply))
                       : unary(method, std::move(request), std::move(reply));
  };
  net.add_http(std::move(route));
}

void Gateway::unary(const Method& method, net::HttpRequest request, net::HttpReply reply) {
  const CompatLevel level = context_.level();
  if (request.oversized) {
    return reply_error(
        reply,
        {Code::kResourceExhausted, "grpc: received message larger than max (" +
                                       std::to_string(request.body.size()) + " vs. 2097152)"},
        level, true);
  }
  auto body = decode_body(method, request.body, dialect_of(level));
  if (!body) return reply_error(reply, body.error(), level, false);
  dispatcher_.call(
      method, info_of(request, level), *std::move(body),
      [this, &method, reply](Result<SharedBytes> answer) mutable {
        // Off the server's threads: JSON costs far more than the answer itself.
        context_.reads.post([this, &method, reply, answer = std::move(answer)]() mutable {
          const CompatLevel now = context_.level();
          if (!answer) return reply_error(reply, answer.error(), now, true);
          auto json = response_json(method, answer->view(), dialect_of(now));
          if (!json) return reply_error(reply, json.error(), now, true);
          reply.send(200,
                     {{"Content-Type", "application/json"},
                      {"Grpc-Metadata-Content-Type", "application/grpc"}},
                     *std::move(json));
        });
      });
}

void Gateway::stream(const Method& method, net::HttpRequest request, net::HttpReply reply) {
  const CompatLevel level = context_.level();
  auto port = std::make_shared<JsonLines>(method, reply, level);
  auto handler = dispatcher_.open(method, info_of(request, level), port);
  if (handler == nullptr) return;
  auto feeder = std::make_shared<BodyFeeder>(method, reply, handler, level);
  reply.on_body([feeder](ByteView piece, bool last) { feeder->feed(piece, last); });
  reply.on_writable([port, handler] {
    port->drained();
    handler->on_writable();
  });
  reply.on_disconnect([feeder] { feeder->gone(); });
}

}  // namespace truss::api
