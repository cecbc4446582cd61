#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "truss/common/error.h"

namespace truss::server {

/// A consistent copy of the database file, read piece by piece; the pages stay pinned until it is
/// destroyed. Thread: one at a time.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  /// Bytes of the image, without the SHA-256 that the API appends.
  virtual std::uint64_t size_bytes() const = 0;
  /// The next piece, at most `limit` bytes; empty at the end.
  virtual Result<std::string> read(std::size_t limit) = 0;
};

}  // namespace truss::server
