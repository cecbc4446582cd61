#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/raft/types.h"
#include "truss/wal/log_reader.h"
#include "truss/wal/record.h"
#include "truss/wal/wal.h"

/// What is done to a WAL directory from outside the writer.
/// *Thread:* any, one at a time per directory (purge() beside a running writer is fine).
namespace truss::wal {

/// Reads a log without locks and without changing it. A torn tail ends it, as for etcd's readers.
/// *Errors:* as Wal::open and Wal::read_all, but for is_torn() of the last segment.
Result<ReadResult> read_log(FileSystem& fs, const std::string& dir, raft::SnapshotMark from,
                            ReadLimits limits = {});

/// SNAPSHOT records of all segments whose index does not lie above the last commit index: the only
/// snapshots that a start may build on. Log order.
/// *Errors:* kCorruption for any damage but a torn tail; kNotFound; I/O.
/// *Source:* etcd wal.ValidSnapshotEntries.
Result<std::vector<SnapshotRecord>> valid_snapshots(FileSystem& fs, const std::string& dir,
                                                    ReadLimits limits = {});

/// Checks CRC chain, types, metadata and that the snapshot is there, from `from` on. Returns the
/// last hard state. A torn tail is fine.
/// *Errors:* kNotFound if no record equals `from`; else as read_log. *Source:* etcd wal.Verify.
Result<raft::HardState> verify(FileSystem& fs, const std::string& dir, raft::SnapshotMark from,
                               ReadLimits limits = {});

/// Cuts the torn tail of the last segment, after copying that file to `NAME.wal.broken`. Nothing to
/// do for an intact tail. The mended file is not preallocated again.
/// *Errors:* kCorruption for damage other than a torn tail (nothing is changed); kUnavailable if
/// locked; I/O. *Durability:* copy and cut are on disk. *Source:* etcd wal/repair.go.
Result<> repair(FileSystem& fs, const std::string& dir, ReadLimits limits = {});

/// Good records of the last segment that lie beyond the end of the log, behind a zero length or a
/// bad record.
struct Hole {
  std::string path;
  std::uint64_t begin = 0;    ///< offset where the log ends for its readers
  std::uint64_t end = 0;      ///< offset of the first good record beyond
  raft::Index last_before{};  ///< last entry before the hole, 0 if none
  raft::Index first_after{};  ///< first entry beyond it, 0 if none
  raft::Index last_after{};
  /// True if entries in the hole are proved to have been synced, so that this is no torn tail but
  /// damage: entry indexes jump across the hole, and a hard state beyond it is followed by another
  /// record. Writers put the hard state after a save's entries, sync, and only then begin the next.
  /// False proves nothing.
  bool synced = false;

  /// One line: file, offsets, entries lost, what to do.
  std::string message() const;
};

/// Looks for records beyond the end of the last segment: where two records in a row fit each other
/// (each stores the rolling crc that the next begins with), they are real. nullopt if there are
/// none. Reads only.
/// *Errors:* I/O.
Result<std::optional<Hole>> find_hole(FileSystem& fs, const std::string& dir,
                                      ReadLimits limits = {});

struct PurgeLimits {
  /// Segments to keep; 0: all.
  std::uint32_t max_wals = 5;
  /// Consistent index of the *older* of the db's two roots: a segment goes only if the next one
  /// begins at or below it, so that a member that falls back to that root can replay.
  raft::Index older_root;
  std::uint32_t most = UINT32_MAX;  ///< segments to remove in one call
};

/// Removes the oldest segments while there are more than `max_wals`, stopping at the first that is
/// locked (the writer has not released it) or still needed by the older root.
/// Returns the names removed. *Durability:* each removal is on disk before the next, so no gap can
/// appear. *Source:* etcd pkg/fileutil/purge.go; the older-root rule is ours.
Result<std::vector<std::string>> purge(FileSystem& fs, const std::string& dir, PurgeLimits limits);

}  // namespace truss::wal
