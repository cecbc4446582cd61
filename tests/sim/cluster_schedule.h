#pragma once

#include <cstdint>
#include <string>

#include "truss/server/config.h"

namespace truss::testing {

struct ClusterSchedule {
  std::uint64_t seed = 1;
  int steps = 60;  ///< things that happen to the cluster
  server::CompatLevel level = server::CompatLevel::k36;
};

/// What a schedule came to.
struct ScheduleResult {
  std::string problem;  ///< empty if all went well
  int acknowledged = 0;
  int snapshots = 0;  ///< taken over by members
  int crashes = 0;
  std::string story;  ///< the steps, one a line
};

/// Three members with short logs under a random schedule: writes through every member, linearizable
/// reads, power failures, partitions (one-way too), lost messages, hanging disks, moves of the
/// leader, defragmentations and compactions. Between and at the end all come back: they must agree
/// by HashKV, hold every acknowledged write, and no member may have ended itself. A read that was
/// answered must have seen every write acknowledged before it began.
ScheduleResult run_schedule(const ClusterSchedule& schedule);

}  // namespace truss::testing
