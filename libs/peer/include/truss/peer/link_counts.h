#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "truss/common/duration_counts.h"
#include "truss/raft/types.h"

namespace truss::peer {

/// Snapshots one way. Thread: any.
struct SnapshotCounts {
  std::atomic<std::uint64_t> successes{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> in_flight{0};
  DurationCounts durations{std::chrono::milliseconds(100), 10};  ///< of the successful
};

/// What went over all channels to and from one peer, since it was added. Thread: any.
struct LinkCounts {
  std::atomic<std::uint64_t> disconnects{0};  ///< times it could no longer be reached
  std::atomic<std::uint64_t> sent_bytes{0};
  std::atomic<std::uint64_t> sent_failures{0};  ///< messages dropped, and failed posts
  std::atomic<std::uint64_t> received_bytes{0};
  std::atomic<std::uint64_t> received_failures{0};  ///< streams that ended malformed
  DurationCounts round_trips{std::chrono::microseconds(100), 16};
  SnapshotCounts snapshots_sent;
  SnapshotCounts snapshots_received;
};

/// The counts of one peer, for metrics.
struct Link {
  raft::NodeId peer;
  bool active = false;  ///< it can be reached
  std::shared_ptr<const LinkCounts> counts;
};

}  // namespace truss::peer
