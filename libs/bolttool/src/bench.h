#pragma once

#include <functional>
#include <string>
#include <vector>

#include "truss/bolt/bolt.h"
#include "truss/common/clock.h"

namespace truss::bolttool {

/// A database that is rewritten all the time while long readers are open: the load that
/// NoFreelistSync was made for.
struct ChurnOptions {
  bolt::Options bolt;
  std::uint64_t keys = 20000;
  std::uint64_t value_bytes = 700;
  std::uint64_t commits = 2000;
  std::uint64_t batch = 50;   ///< keys rewritten in a commit
  std::uint64_t readers = 2;  ///< open at any time, each for `hold` commits
  std::uint64_t hold = 400;
  std::uint64_t windows = 20;  ///< rows of the result
};

/// One part of the run.
struct ChurnWindow {
  std::uint64_t commits = 0;  ///< since the start
  double seconds = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t free_pages = 0;
  std::uint64_t pending_pages = 0;
  double pages_per_commit = 0;
  double p50_ms = 0;  ///< of the commits of this part
  double p99_ms = 0;
};

/// Runs the load on a new file at `path` (which must not be there).
Result<std::vector<ChurnWindow>> run_churn(FileSystem& fs, Clock& clock, const std::string& path,
                                           const ChurnOptions& options,
                                           const std::function<void(const ChurnWindow&)>& each);

/// What opening and reading costs with or without MAP_POPULATE.
struct MapRun {
  double open_ms = 0;
  double first_p50_us = 0;  ///< of `reads` gets of keys never touched before
  double first_p99_us = 0;
  double again_p50_us = 0;  ///< of the same keys
  double again_p99_us = 0;
  std::string resident;  ///< RssAnon and RssFile afterwards
};
Result<MapRun> run_map(FileSystem& fs, Clock& clock, const std::string& path, bool populate,
                       std::uint64_t keys, std::uint64_t reads,
                       const std::function<std::string()>& resident);

/// Makes the file for run_map: `keys` pairs of `value_bytes`.
Result<> fill_file(FileSystem& fs, const std::string& path, std::uint64_t keys,
                   std::uint64_t value_bytes, bolt::Options options);

}  // namespace truss::bolttool
