#pragma once

#include <cstdint>

#include "truss/common/duration_counts.h"
#include "truss/raft/types.h"

namespace truss::api {

/// Snapshots sent to a peer, or received from it, since start.
struct SnapshotTraffic {
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t in_flight = 0;
  DurationCounts::Sample durations;  ///< whole transfers; first bound 100 ms, 10 bounds
};

/// What /metrics shows of one peer under etcd's names (`etcd_network_peer_*`,
/// `etcd_network_snapshot_*`); all counts since start. Who owns the peers fills it in from plain
/// counters: nothing of it is on a message's way.
struct PeerMetrics {
  raft::NodeId peer;
  bool active = false;            ///< a connection to it is up
  std::uint64_t disconnects = 0;  ///< times it was lost
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_failures = 0;  ///< messages dropped or not delivered
  std::uint64_t received_bytes = 0;
  std::uint64_t received_failures = 0;
  DurationCounts::Sample round_trips;  ///< of probes; first bound 100 us, 16 bounds
  SnapshotTraffic snapshots_sent;
  SnapshotTraffic snapshots_received;
};

}  // namespace truss::api
