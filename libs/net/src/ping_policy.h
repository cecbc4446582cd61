#pragma once

#include <optional>

#include "truss/common/clock.h"
#include "truss/net/server.h"

namespace truss::net {

/// Counts a client's pings against the policy of ServerOptions, with grpc-go's rule: three strikes
/// without anything sent by us in between are too many.
class PingPolicy {
 public:
  explicit PingPolicy(const ServerOptions& options) : options_(options) {}
  /// We sent a header or data: BDP probes that follow are welcome.
  void note_sent() { reset_ = true; }
  /// Returns: false when the connection must go.
  bool accept_ping(MonoTime now, bool calls_open);

 private:
  const ServerOptions& options_;
  std::optional<MonoTime> last_ping_;
  int strikes_ = 0;
  bool reset_ = false;
};

}  // namespace truss::net
