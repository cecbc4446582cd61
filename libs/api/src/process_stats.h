#pragma once

#include <cstdint>

namespace truss::api {

/// What the kernel says of this process; zero where it can't be read.
struct ProcessStats {
  double cpu_seconds = 0;
  double start_seconds = 0;  ///< Unix time
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t max_virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

ProcessStats read_process_stats();

}  // namespace truss::api
