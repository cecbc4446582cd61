#pragma once

#include <cstdint>

#include "sweep_result.h"
#include "truss/common/testing/sim_file_system.h"

namespace truss::testing {

struct WalWorkload {
  std::uint64_t seed = 1;
  int steps = 60;
  unsigned copies_per_point = 2;
  std::uint64_t segment_bytes = 16 << 10;
  std::uint64_t stop_after_failures = 1;
  SimInjector injector{};  ///< lies of the disk, for proving the sweep
};

/// Creates a log on a simulated disk, then appends, overwrites, snapshots, cuts, purges and reopens
/// it at random, crashed at every write and sync point. After each crash the log must open (with
/// one repair), hold all that was synced, in order, and nothing that was never appended, and take
/// more.
SweepResult sweep_wal(const WalWorkload& workload);

/// The same workload, each of its calls failing in turn with EIO and ENOSPC: the log may give an
/// error or end the process, but what it acknowledged before must be there afterwards.
FaultSweep::Outcome sweep_wal_faults(const WalWorkload& workload);

}  // namespace truss::testing
