#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "truss/api/peer_metrics.h"
#include "truss/common/clock.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/net/server.h"
#include "truss/server/server.h"

namespace truss::api {

/// What the client side of a member may be told. Defaults are etcd's.
struct Options {
  bool grpc_gateway = true;                         ///< the JSON gateway under /v3/
  std::vector<std::string> cors = {"*"};            ///< origins; empty or "*": any
  std::vector<std::string> host_whitelist = {"*"};  ///< of plain HTTP; empty or "*": any
  Duration watch_progress_interval = std::chrono::minutes(10);
  std::vector<std::string> command_line;  ///< shown by /debug/vars
  /// Asked at each scrape of /metrics, on a net thread; empty: there are no peers.
  std::function<std::vector<PeerMetrics>()> peer_metrics;
};

/// The client services of one member: KV, Watch, Lease, Cluster, Maintenance, Auth, Health, the
/// JSON gateway, /health, /version, /metrics.
///
/// Life: construct with a started server, install() on each listener's net::Server before it
/// starts; stop the net servers before this, and this before the server::Server.
/// Thread: the owner's.
class Api {
 public:
  /// All references outlive it.
  Api(server::Server& server, Runtime& runtime, Logger& logger, Options options);
  ~Api();  ///< stop()
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  /// Adds every method, route and the HTTP filter to `net`, serving clients.
  void install(net::Server& net);
  /// Adds only /metrics and /health: what `--listen-metrics-urls` serves.
  void install_metrics(net::Server& net);
  /// Ends the threads; open calls are dropped. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::api
