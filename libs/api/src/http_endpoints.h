#pragma once

#include "context.h"
#include "dispatcher.h"
#include "metrics.h"
#include "truss/net/server.h"

namespace truss::api {

/// /version, /health, /livez, /readyz, /metrics, /debug/vars, 404 for the rest; CORS and host
/// check. Source: server/etcdserver/api/etcdhttp, server/embed/serve.go.
class HttpEndpoints {
 public:
  HttpEndpoints(Context& context, Dispatcher& dispatcher)
      : context_(context), dispatcher_(dispatcher) {}
  void install(net::Server& net);
  void install_metrics(net::Server& net);

 private:
  bool filter(const net::HttpRequest& request, net::HttpReply& reply, net::Metadata& extra);
  void not_found(const net::HttpRequest& request, net::HttpReply& reply);
  void version(net::HttpReply& reply);
  void health(const net::HttpRequest& request, net::HttpReply reply);
  void answer_health(net::HttpReply& reply, const std::string& reason);
  void debug_vars(net::HttpReply& reply);

  Context& context_;
  Dispatcher& dispatcher_;
  HealthCounters health_;
};

}  // namespace truss::api
