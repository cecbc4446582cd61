#pragma once

#include "context.h"
#include "dispatcher.h"
#include "json_message.h"
#include "truss/net/server.h"

namespace truss::api {

/// The JSON gateway: POST /v3/… onto the methods of the API, with the rules of grpc-gateway v1
/// (levels 3.4, 3.5) or v2.
class Gateway {
 public:
  Gateway(Context& context, Dispatcher& dispatcher) : context_(context), dispatcher_(dispatcher) {}
  void install(net::Server& net);

 private:
  void add_route(net::Server& net, const std::string& path, const Method& method);
  void unary(const Method& method, net::HttpRequest request, net::HttpReply reply);
  void stream(const Method& method, net::HttpRequest request, net::HttpReply reply);

  Context& context_;
  Dispatcher& dispatcher_;
};

/// HTTP status for a gRPC code, as the level's gateway maps it.
int http_status(Code code, server::CompatLevel level);

}  // namespace truss::api
