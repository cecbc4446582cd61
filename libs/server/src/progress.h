#pragma once

#include <atomic>
#include <cstdint>

#include "truss/common/duration_counts.h"
#include "truss/raft/types.h"
#include "truss/snap/metrics.h"

namespace truss::server {

/// Where this member stands, written by its raft and apply threads, read by all.
struct Progress {
  std::atomic<std::uint64_t> term{0};
  std::atomic<std::uint64_t> leader{0};     ///< node id, 0 for none
  std::atomic<std::uint64_t> committed{0};  ///< index
  std::atomic<std::uint64_t> applied{0};    ///< index
  std::atomic<bool> is_leader{false};
  /// An append has waited for the disk of the log for two election time-outs or more.
  std::atomic<bool> disk_dead{false};
  /// Leader and only voter: nobody else can have been elected, so no round is needed to read.
  std::atomic<bool> alone{false};
  std::atomic<std::int64_t> leader_elected_at{0};  ///< MonoTime ticks; 0: never
  std::atomic<std::int64_t> ticked_at{0};          ///< MonoTime ticks; 0: never
  /// Since when ticks have come without a gap; MonoTime ticks.
  std::atomic<std::int64_t> awake_since{0};

  std::atomic<std::uint64_t> leader_changes{0};
  std::atomic<std::uint64_t> proposals_applied{0};
  std::atomic<std::uint64_t> proposals_failed{0};
  std::atomic<std::uint64_t> reads_failed{0};
  std::atomic<std::uint64_t> slow_reads{0};  ///< read index rounds asked again or timed out
  std::atomic<std::uint64_t> late_heartbeats{0};
  std::atomic<std::uint64_t> messages_lost{0};
  std::atomic<std::uint64_t> promotions{0};  ///< learners promoted while leading
  std::atomic<bool> applying_snapshot{false};
  std::atomic<std::uint64_t> slow_applies{0};
  std::atomic<std::uint64_t> leases_expired{0};
  std::atomic<std::uint64_t> wal_syncs{0};
  std::atomic<std::uint64_t> wal_bytes{0};
  DurationCounts wal_sync_durations;
  snap::SnapMetrics snap_metrics;

  raft::Index committed_index() const { return raft::Index(committed.load()); }
  raft::Index applied_index() const { return raft::Index(applied.load()); }
};

}  // namespace truss::server
