#pragma once

#include <cstdint>
#include <string>

#include "sweep_result.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/server/config.h"

namespace truss::testing {

struct ServerWorkload {
  std::uint64_t seed = 1;
  int operations = 150;  ///< puts, deletes, txns, leases, compactions, defragmentations
  int lives = 3;         ///< runs of the member on one disk, ended by kill -9 or gracefully
  unsigned clients = 3;  ///< each with one operation in flight
  unsigned copies_per_point = 1;
  std::uint64_t stride = 1;
  std::uint64_t stop_after_failures = 1;
  std::uint64_t segment_bytes = 4 << 10;
  std::uint64_t snapshot_count = 20;
  std::string wal_dir{};  ///< empty: beside the db
  server::CompatLevel level = server::CompatLevel::k36;
  bool raise_level = false;     ///< each life after the first at the next level, up to 3.6
  server::Sabotage sabotage{};  ///< what the sweep must notice
  SimInjector injector{};       ///< lies of the disk, likewise
};

/// Starts a single-node member on a simulated disk, clock and runtime, in an empty directory, and
/// runs clients against it, crashed at every write and sync point. After each crash the member must
/// start by itself on what the disk kept (crashed once more on its way, now and then), with the db
/// not ahead of the log, every acknowledged operation there at its revision and nothing that nobody
/// asked for, and take a put that outlives the next crash.
SweepResult sweep_server(const ServerWorkload& workload);

/// The same member under faults: each stride-th call of the disk fails once with EIO or ENOSPC.
FaultSweep::Outcome sweep_server_faults(const ServerWorkload& workload);

}  // namespace truss::testing
