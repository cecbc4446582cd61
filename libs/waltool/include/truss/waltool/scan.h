#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/types.h"
#include "truss/wal/record.h"
#include "truss/wal/segment.h"

/// Reads a log whatever state it is in: record by record, and on past damage.
namespace truss::waltool {

enum class FaultKind : std::uint8_t {
  kTornTail,          ///< the last write arrived in part
  kZeroFill,          ///< zeros where records follow, or where a finished segment must not have any
  kBitFlip,           ///< a record whose bytes do not fit its CRC, its frame intact
  kGarbage,           ///< bytes that are no record
  kBadLength,         ///< a length that can't be: past the end of the file, or not canonical
  kBadType,           ///< a record whose CRC is right but that contradicts the log
  kCutShort,          ///< the file ends inside a record
  kMissingSegment,    ///< sequence numbers jump
  kReorderedSegment,  ///< a segment's CRC chain fits another place in the order
  kBrokenChain,       ///< a segment does not go on where the one before ends
  kMissingEntries,    ///< entries jump though no record is damaged
};
/// `torn-tail`, `zero-fill`, … as printed.
std::string fault_name(FaultKind kind);

/// An entry that a fault makes doubtful but that still decodes.
struct Suspect {
  raft::Index index;
  bool conf_change = false;
  std::string data;  ///< the entry's payload, at most kMaxSuspectBytes of it
};
inline constexpr std::size_t kMaxSuspectBytes = 4096;

/// One damaged place: bytes [begin, end) of a segment.
struct Fault {
  FaultKind kind{};
  std::size_t segment = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string detail{};  ///< one line, without the place
  /// True if good records follow in the same segment.
  bool resumed = false;
  /// True if it can hold no entry (a damaged hard state, or none at all).
  bool no_entries = false;
  /// True if the search for records behind it was given up: anything may be there.
  bool gave_up = false;
  /// The entry that it damaged, or the readable one right behind that no CRC vouches for.
  std::vector<Suspect> suspects{};
};

/// How far a record can be believed.
enum class Trust : std::uint8_t {
  kGood,        ///< its bytes fit the CRC chain
  kUnverified,  ///< well-formed, but what its CRC builds on is unreadable
};

struct ScannedRecord {
  std::size_t segment = 0;
  std::uint64_t offset = 0;
  Trust trust = Trust::kGood;
  wal::Record record;  ///< its data lives until the callback returns
};

/// What is to be said of one segment file.
struct SegmentFacts {
  wal::SegmentName name;
  std::string path;
  std::uint64_t file_bytes = 0;
  std::uint64_t used_bytes = 0;  ///< end of the last good record
  std::uint64_t records = 0;
  raft::Index first_entry{};  ///< 0: none
  raft::Index last_entry{};
  std::uint32_t start_crc = 0;  ///< stored by the CRC record at its head
  std::uint32_t end_crc = 0;
  bool has_head = false;  ///< begins with CRC and METADATA records
};

/// What scan() tells, in log order.
struct ScanSink {
  std::function<void(const ScannedRecord&)> record;
  std::function<void(const Fault&)> fault;
  /// After each block: bytes read so far, of all segments.
  std::function<void(std::uint64_t)> progress;
};

/// Names of the segments of `dir` in order of sequence. A name with a sequence number that is there
/// already is left out. *Errors:* kNotFound if there is none; I/O.
Result<std::vector<wal::SegmentName>> segments_of(FileSystem& fs, const std::string& dir);

/// Reads the segments in the order given: every record that a CRC vouches for, the first one behind
/// damage as unverified, and each fault. Bounded memory (a window of 256 KiB, or the largest
/// record). Never writes, takes no lock.
///
/// A record is good if its CRC fits what the record before it stores. Behind damage reading resumes
/// at the next two records, on 8-byte boundaries, that fit each other.
/// *Errors:* I/O only.
Result<std::vector<SegmentFacts>> scan(FileSystem& fs, const std::string& dir,
                                       const std::vector<wal::SegmentName>& names,
                                       const ScanSink& sink);

}  // namespace truss::waltool
