#pragma once

#include <memory>
#include <string>
#include <vector>

#include "truss/common/file_system.h"
#include "truss/wal/log_reader.h"
#include "truss/wal/segment.h"

namespace truss::wal {

/// One segment held open, and locked if it was opened for writing.
struct HeldSegment {
  SegmentName name;
  std::string path;
  std::unique_ptr<File> file;
};

enum class Access { kRead, kWriteLocked };

/// Opens the segments in order. *Errors:* kUnavailable if locked by somebody else; I/O.
Result<std::vector<HeldSegment>> open_segments(FileSystem& fs, const std::string& dir,
                                               const std::vector<SegmentName>& names,
                                               Access access);

/// The segments as a LogReader takes them.
std::vector<SegmentSource> sources(const std::vector<HeldSegment>& held);

/// One past the last non-zero byte at or after `from`; `from` if all are zero.
Result<std::uint64_t> end_of_non_zero(File& file, std::uint64_t from);

/// Copies a file's bytes to a new (or overwritten) one, leaving runs of zeros as holes.
/// *Durability:* the bytes are on disk, the name is not.
Result<> copy_sparse(FileSystem& fs, File& from, const std::string& to);

}  // namespace truss::wal
