#pragma once

#include <atomic>
#include <memory>

#include "local_member.h"
#include "options.h"
#include "peer_queries.h"
#include "peer_transport.h"
#include "truss/api/api.h"
#include "truss/common/executor.h"
#include "truss/common/file_system.h"
#include "truss/common/log.h"
#include "truss/common/process.h"
#include "truss/common/random.h"
#include "truss/net/io_thread.h"
#include "truss/net/server.h"
#include "truss/peer/queries.h"
#include "truss/peer/transport.h"
#include "truss/server/server.h"

namespace truss::member {

/// A running member: every long-lived object, in start order.
struct Member {
  /// Errors: one line, for the log.
  static Result<std::unique_ptr<Member>> start(Options options, Logger& logger);
  /// Stops in the reverse order. Clients get a few hundred milliseconds to finish.
  ~Member();

  Options options;
  Logger& logger;
  ThreadRuntime runtime;
  PosixFileSystem files;
  SystemProcess process;
  SeededRandom random{entropy64()};

  net::IoThread peer_thread{"peer", runtime.clock(), &runtime.turns()};
  net::IoThread snapshot_thread{"snapshot-out", runtime.clock()};  ///< databases to peers
  peer::Transport peers;
  LocalMember local;        ///< what peers ask of the server
  PeerTransport transport;  ///< what the server sends to peers
  peer::Queries questions{peer_thread, runtime};
  PeerQueries queries{questions};  ///< what the server asks peers

  // Ports are bound before any data is touched, and served when the member is ready.
  std::unique_ptr<net::Server> peer_listeners;
  std::unique_ptr<net::Server> client_listeners;
  std::unique_ptr<net::Server> metrics_listeners;
  std::unique_ptr<server::Server> server;
  std::unique_ptr<api::Api> api;
  std::atomic<bool> removed{false};  ///< from the cluster, for good

 private:
  Member(Options given, Logger& log);
  Result<> bind();
  Result<> start_server();
  void serve();
};

}  // namespace truss::member
