#pragma once

#include <cstdint>
#include <optional>

#include "live_tally.h"
#include "truss/bolt/bolt.h"

namespace truss::snaptool {

/// What one walk over all pages of a file gives.
struct Content {
  std::uint32_t hash = 0;  ///< CRC-32C of every bucket's name, then its keys and values
  std::uint64_t hashed_bytes = 0;
  std::uint64_t entries = 0;      ///< of all buckets
  std::int64_t revision = 0;      ///< of the last record; 0 without any
  std::optional<LiveTally> live;  ///< if asked for
};

/// Walks the pages of `tx` with `threads` threads, checking their structure on the way.
/// \param live  fresh, to count the records of bucket `key` with
/// *Errors:* kCorruption, one of the faults; which of several isn't said.
Result<Content> walk_content(const bolt::Tx& tx, unsigned threads, std::optional<LiveTally> live);

}  // namespace truss::snaptool
