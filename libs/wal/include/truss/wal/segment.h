#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/types.h"

/// Segment files of a WAL directory: `%016x-%016x.wal` = sequence, first raft index expected.
/// *Thread:* any. *Source:* etcd wal/util.go.
namespace truss::wal {

struct SegmentName {
  std::uint64_t sequence = 0;
  raft::Index first_index;

  /// `0000000000000001-0000000000000045.wal`
  std::string file_name() const;
  friend bool operator==(const SegmentName&, const SegmentName&) = default;
};

/// The name taken apart, nullopt if it is not a segment's.
std::optional<SegmentName> parse_segment_name(ByteView file_name);

/// Segments of `dir` in order of sequence; other names are ignored.
/// *Errors:* kNotFound if there is none, I/O errors of the listing.
Result<std::vector<SegmentName>> list_segments(FileSystem& fs, const std::string& dir);

/// The segments needed to replay from `from`: the last whose first index is not above it, and all
/// later ones.
/// *Errors:* kNotFound if all begin above `from`; kCorruption if sequence numbers are not
/// consecutive (as in etcd, a gap right after sequence 0 goes unnoticed here; the CRC chain finds
/// it).
Result<std::vector<SegmentName>> select_segments(const std::string& dir,
                                                 std::vector<SegmentName> all, raft::Index from);

/// True if `dir` holds a name ending in ".wal", well-formed or not: etcd's test for "has a log".
bool has_wal(FileSystem& fs, const std::string& dir);

}  // namespace truss::wal
