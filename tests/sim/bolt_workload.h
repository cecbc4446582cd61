#pragma once

#include <cstdint>

#include "sweep_result.h"
#include "truss/bolt/bolt.h"
#include "truss/common/testing/sim_file_system.h"

namespace truss::testing {

struct BoltWorkload {
  std::uint64_t seed = 1;
  int commits = 40;
  unsigned copies_per_point = 2;
  bolt::Options options{.page_size = 1024};
  std::uint64_t stop_after_failures = 1;
  bool skip_data_sync = false;  ///< the sync between data pages and meta page does nothing
  bool skip_meta_sync = false;  ///< nor does the one after the meta page
  SimInjector injector{};       ///< other lies of the disk
};

/// Opens a new bolt file on a simulated disk and changes it at random in transactions, with readers
/// open and reopenings, crashed at every write and sync point. After each crash the file must open,
/// pass its own check, hold exactly the last committed state or the one being committed, and take
/// another commit.
SweepResult sweep_bolt(const BoltWorkload& workload);

}  // namespace truss::testing
