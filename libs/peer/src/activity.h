#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "truss/common/clock.h"
#include "truss/common/log.h"
#include "truss/peer/link_counts.h"
#include "truss/raft/types.h"

namespace truss::peer {

/// Whether a peer can be reached, and since when; beside it what is counted of it.
///
/// Thread: since() any, the rest the transport's. *Source:* etcd rafthttp/peer_status.go.
class Activity {
 public:
  Activity(raft::NodeId peer, Logger& logger) : peer_(peer), logger_(logger) {}

  /// What goes over the peer's channels. Thread: any.
  LinkCounts& counts() { return *counts_; }
  std::shared_ptr<LinkCounts> shared_counts() const { return counts_; }

  /// A channel works.
  void works(MonoTime now);
  /// A channel failed; told to the log when it is news.
  void failed(std::string_view action, std::string_view why);
  /// MonoTime{} while it can't be reached.
  MonoTime since() const { return MonoTime(Duration(since_.load(std::memory_order_relaxed))); }

 private:
  const raft::NodeId peer_;
  Logger& logger_;
  std::atomic<Duration::rep> since_{0};
  const std::shared_ptr<LinkCounts> counts_ = std::make_shared<LinkCounts>();
};

}  // namespace truss::peer
