#pragma once

#include <string>
#include <vector>

#include "load.h"

namespace truss::bench {

/// Starts `spec.per_second` requests a second at times fixed before the first (as from many
/// independent clients) and measures each from when it was due: a stall counts for all that fall
/// due in it. Requests that failed, or weren't answered five seconds after the end, are errors.
LoadResult run_open_load(const std::vector<std::string>& addresses, const LoadSpec& spec,
                         LoadMarks& marks);

/// Whole snapshots, one after the other, thrown away as they come.
struct SnapshotStreams {
  std::uint64_t bytes = 0;  ///< of messages
  double seconds = 0;
};
/// Errors: the stream's.
Result<SnapshotStreams> stream_snapshots(const std::string& address, std::size_t times);

}  // namespace truss::bench
