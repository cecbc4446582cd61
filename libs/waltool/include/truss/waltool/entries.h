#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/raft/types.h"
#include "truss/wal/segment.h"
#include "truss/waltool/data_dir.h"

namespace truss::waltool {

/// One entry of the log as it reads: what later entries replaced is left out.
struct LogEntry {
  raft::Index index;
  raft::Term term;
  raft::EntryType type{};
  ByteView data;           ///< lives until the callback returns
  bool committed = false;  ///< some hard state of the log commits it
};

/// Reads all entries in order, with bounded memory, in two passes: the first finds what was
/// replaced later and what is committed. `visit` returns false to stop. Never writes, takes no
/// lock. Damage is passed over. *Errors:* kNotFound without segments; I/O.
Result<> each_entry(FileSystem& fs, const DataDir& dir,
                    const std::function<bool(const LogEntry&)>& visit);

/// The same of these segments in this order.
Result<> each_entry_of(FileSystem& fs, const DataDir& dir,
                       const std::vector<wal::SegmentName>& names,
                       const std::function<bool(const LogEntry&)>& visit);

/// The entries that are appended to a log while it is watched. *Thread:* one.
class Follower {
 public:
  Follower(FileSystem& fs, DataDir dir) : fs_(fs), dir_(std::move(dir)) {}
  /// Gives `visit` every good entry behind the last one given, in the order written; the first call
  /// begins with the newest segment. `committed` is as far as is known by then.
  /// *Errors:* as each_entry; kCorruption for damage that more bytes can't mend.
  Result<> poll(const std::function<bool(const LogEntry&)>& visit);

 private:
  FileSystem& fs_;
  const DataDir dir_;
  std::uint64_t sequence_ = 0;  ///< of the segment being read
  std::uint64_t offset_ = 0;
  std::uint32_t crc_ = 0;
  raft::Index commit_{};
  bool started_ = false;
};

}  // namespace truss::waltool
