#pragma once

#include <functional>

#include "truss/bolttool/image.h"
#include "truss/bolttool/replace.h"

namespace truss::bolttool {

struct CompactOptions {
  std::uint32_t page_size = 0;         ///< of the new file; 0: as the old one
  double fill = 0.9;                   ///< share of a page that is filled
  std::optional<bool> store_freelist;  ///< nullopt: as the old one
  bool verify = true;                  ///< read the new file back and compare, before it counts
  unsigned threads = 1;                ///< that check the new file
  std::function<void(std::uint64_t bytes_read)> progress;
};

struct CompactReport {
  std::uint64_t old_bytes = 0;
  std::uint64_t new_bytes = 0;
  std::uint64_t pairs = 0;
  std::uint32_t checksum = 0;  ///< CRC-32C of buckets and pairs in order, sizes included
};

/// Writes all that `image` holds as a fresh file without free pages into `file` (empty).
/// Durability: the bytes are on disk when it returns.
/// Errors: kCorruption if the old file has a fault (then `salvage`), or the new one isn't equal.
Result<CompactReport> compact(const Image& image, File& file, const std::string& path,
                              const CompactOptions& options);

}  // namespace truss::bolttool
