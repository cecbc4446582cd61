#pragma once

#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/common/process.h"
#include "truss/snap/v2_store.h"
#include "truss/tool/names.h"
#include "truss/wal/wal.h"
#include "truss/waltool/judge.h"

namespace truss::waltool {

/// Locks on all segments of a log, so that no member can start on it. Dropped by the destructor.
class LogLock {
 public:
  /// *Errors:* kUnavailable with the segment's path if somebody holds it; I/O.
  static Result<LogLock> take(FileSystem& fs, const DataDir& dir);

 private:
  std::vector<std::unique_ptr<File>> files_;
};

/// A log being put together beside the old one: `WAL.new`.
class NewLog {
 public:
  /// \param conf_state     membership at `base`, null if unknown
  /// \param segment_bytes  of disk taken ahead, and where it is cut
  static Result<NewLog> create(FileSystem& fs, tool::Names& names, Process& process,
                               const DataDir& dir, const wal::Identity& identity,
                               raft::SnapshotMark base, const raft::ConfState* conf_state,
                               std::uint64_t segment_bytes = wal::Options().segment_bytes);
  NewLog(NewLog&&) noexcept;
  ~NewLog();

  /// Appends the good entries of the old log in (base, last], which must be without a gap.
  /// \param drop_conf_changes  put empty entries in the place of membership changes
  /// *Errors:* kCorruption if the log no longer reads as the evidence says; I/O.
  Result<> copy(const Evidence& evidence, raft::Index last, bool drop_conf_changes);
  /// Ends it with `state`; it is on disk under its temporary name.
  Result<> finish(const raft::HardState& state);
  /// Puts it in the place of the old one, which gets the name `kept`. Atomic: at every instant
  /// there is one whole log or the other. *Durability:* names are on disk.
  Result<> put_in_place(const std::string& kept);
  /// Its folder while it is being put together.
  static std::string path_of(const DataDir& dir);

 private:
  struct Impl;
  explicit NewLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The membership that the db holds. *Errors:* kFailedPrecondition if it lists none; I/O.
Result<snap::V2Membership> membership_from_db(FileSystem& fs, const DataDir& dir);
/// Writes a `.snap` file at `mark`, with the owner of the db. Returns its conf state.
/// *Errors:* I/O. *Durability:* file and name are on disk.
Result<raft::ConfState> save_snapshot(FileSystem& fs, tool::Names& names, const DataDir& dir,
                                      raft::SnapshotMark mark,
                                      const snap::V2Membership& membership);

/// The first of `path.1`, `path.2` … that is free.
std::string free_name(FileSystem& fs, const std::string& path);

/// What repair() does or would do, a line each.
std::vector<std::string> repair_steps(const DataDir& dir, const Evidence& evidence,
                                      const Judgement& judgement);

/// Mends a log as its verdict allows: cuts the damaged end off, or writes a new log of what is
/// good. The old segments stay, under other names. Returns what was done.
/// *Errors:* kFailedPrecondition if the plan refuses; kUnavailable if a member holds the log; I/O.
/// *Durability:* everything is on disk when it returns; a crash leaves the old log or the new one.
Result<std::vector<std::string>> repair(FileSystem& fs, tool::Names& names, Process& process,
                                        const DataDir& dir, const Evidence& evidence,
                                        const Judgement& judgement);

}  // namespace truss::waltool
