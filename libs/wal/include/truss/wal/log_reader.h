#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/wal/record.h"

namespace truss::wal {

struct ReadLimits {
  /// Records of this size or more are damage that can't be repaired; 0: no limit but the file's
  /// size. 3.4 has 10 MiB here (k34RecordLimitBytes), later releases none.
  std::uint64_t max_record_bytes = 0;
};
inline constexpr std::uint64_t k34RecordLimitBytes = 10 << 20;

/// A place in the log: segment number (in the order given) and byte offset in its file.
struct Place {
  std::size_t segment = 0;
  std::uint64_t offset = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

/// A segment to read. The file is borrowed.
struct SegmentSource {
  std::string path;  ///< for messages
  File* file = nullptr;
};

/// True for a log that ends inside a record: what a crash leaves, and repair() mends.
bool is_torn(const Error& error);

/// Reads records one after the other through a chain of segments, with bounded memory, and checks
/// the rolling CRC over all of them. Never writes.
///
/// *Thread:* one. *Source:* etcd wal/decoder.go.
class LogReader {
 public:
  LogReader(std::vector<SegmentSource> segments, ReadLimits limits = {});
  ~LogReader();
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;

  /// Reads the next record; its data lives until the next call. False at the clean end of the log:
  /// a zero length or the end of the file, in the last segment. After false or an error: only the
  /// accessors.
  /// *Errors:* is_torn() - the last segment ends inside a record, or its bad record has an all-zero
  /// sector; kCorruption - any other damage (CRC, protobuf, oversize), with file, offset
  /// and what to do; others - I/O.
  Result<bool> next(Record& record);

  /// Where the last record begins; in an error, where the bad one does.
  Place place() const;
  /// One past the last good record: where an intact tail goes on and a torn one is cut.
  Place end() const;
  /// Rolling CRC after the last good record.
  std::uint32_t crc() const;
  const std::string& path_of(const Place& place) const;
  /// Segments before the last that a zero length ended before the end of their file. Finished
  /// segments are exactly as long as their records, so records are missing there.
  const std::vector<Place>& early_ends() const;
  /// `wal PATH: MESSAGE at offset N: the log is damaged …`, for findings about a record just read.
  Error damage(const Place& place, const std::string& message) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::wal
