#pragma once

#include <memory>
#include <string>

#include "local_stub.h"
#include "truss/net/io_thread.h"
#include "truss/net/server.h"
#include "truss/peer/transport.h"

namespace truss::peertool {

/// A peer port on loopback and the transport behind it, on one thread, set up as a member's are.
class Station {
 public:
  Station(Runtime& runtime, Logger& logger, const std::string& name, const peer::Options& options);
  ~Station();  ///< stop()

  /// Binds a port. Errors: kUnavailable.
  Result<> listen();
  const std::string& url() const { return url_; }
  /// `sink` outlives stop().
  void start(const peer::Identity& who, peer::Sink& sink);
  void stop();

  net::IoThread& thread() { return thread_; }
  peer::Transport& transport() { return transport_; }
  const peer::Transport& transport() const { return transport_; }
  LocalStub& local() { return local_; }

 private:
  net::IoThread thread_;
  peer::Transport transport_;
  net::Server server_;
  LocalStub local_;
  std::string url_;
};

}  // namespace truss::peertool
