#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../cluster/links.h"

namespace truss::bench {

/// Reads raft's heartbeats out of the message streams that pass through Links, and keeps the gaps
/// between two of them from one member to another.
///
/// Thread: any; see() is called by Links.
class HeartbeatTap {
 public:
  HeartbeatTap();
  ~HeartbeatTap();
  HeartbeatTap(const HeartbeatTap&) = delete;
  HeartbeatTap& operator=(const HeartbeatTap&) = delete;

  void attach(cluster::Links& links) { links.set_tap(&HeartbeatTap::see, this); }
  /// Gaps count from now on.
  void begin();
  /// All gaps since begin(), sorted.
  std::vector<Duration> gaps();

 private:
  struct Stream;
  static void see(void* self, const cluster::Links::Passing& passing);
  void take(const cluster::Links::Passing& passing);

  std::mutex mutex_;                                          // guards all below
  std::map<std::uint64_t, std::unique_ptr<Stream>> streams_;  // by connection
  std::map<std::pair<std::size_t, std::size_t>, MonoTime> last_;
  std::vector<Duration> gaps_;
};

}  // namespace truss::bench
