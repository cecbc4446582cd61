#pragma once

#include <cstdint>

#include "sweep_result.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/server/config.h"

namespace truss::testing {

struct SnapshotWorkload {
  std::uint64_t seed = 1;
  int rounds = 2;   ///< times that the follower is left behind and gets a snapshot
  int writes = 60;  ///< of a round, while it is cut off
  unsigned copies_per_point = 1;
  std::uint64_t stride = 1;
  std::uint64_t stop_after_failures = 1;
  server::CompatLevel level = server::CompatLevel::k36;
  server::Sabotage sabotage{};  ///< of the follower: what the sweep must notice
  SimInjector injector{};       ///< lies of its disk, likewise
};

/// Three members; one follower is cut off until only a snapshot can help it, and crashed at every
/// write, sync and rename point while it receives and takes over that snapshot. After each crash it
/// must start by itself on what its disk kept (crashed once more, now and then), catch up with the
/// other two as they are at that moment, hold the same history and everything acknowledged.
SweepResult sweep_snapshot(const SnapshotWorkload& workload);

/// The same follower under faults: each stride-th call of its disk fails once with EIO or ENOSPC.
FaultSweep::Outcome sweep_snapshot_faults(const SnapshotWorkload& workload);

}  // namespace truss::testing
