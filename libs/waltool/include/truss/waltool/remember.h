#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/common/process.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/raft/types.h"
#include "truss/tool/names.h"
#include "truss/waltool/judge.h"

/// Gives a stopped member's directory another membership, in place: the way on after a lost quorum.
///
/// The log is put aside for a new one that begins with a snapshot of what the db has applied, goes
/// on with the entries behind it, and belongs to the new cluster; the db gets the new members. A
/// start sees the old directory, the new one, or is refused: while the pieces change, the new log
/// is sealed (its first segment has the name of one that begins at the last index there is).
namespace truss::waltool {

struct NewMember {
  raft::NodeId id;
  std::string name;
  std::vector<std::string> peer_urls;
};

/// The cluster that a directory is to belong to.
struct NewCluster {
  std::uint64_t id = 0;
  raft::NodeId self;                 ///< whose directory it becomes
  std::vector<NewMember> members{};  ///< all vote; ids ascending
};

/// How the log goes on.
struct RememberPlan {
  raft::SnapshotMark base;  ///< the snapshot that the new log begins with
  raft::Index last;         ///< last entry kept; those that were never committed stay too
  raft::HardState state;    ///< without a vote: it was for a member of another cluster
  /// Membership changes among the entries kept: they become empty entries.
  std::vector<raft::Index> dropped_changes;
};

/// *Errors:* kFailedPrecondition if the verdict allows no repair, without a db, or if the db has
/// applied nothing or is to be replaced by one that was received.
Result<RememberPlan> plan_remember(const Evidence& evidence, const Judgement& judgement);

/// What remember() does or would do, a line each.
std::vector<std::string> remember_steps(const DataDir& dir, const Evidence& evidence,
                                        const RememberPlan& plan, const NewCluster& cluster);

/// Where remember() writes what undoes it: `remember.undo` in the member folder.
std::string undo_path(const DataDir& dir);

/// Does it. Returns what was done.
/// *Errors:* kAlreadyExists if there is an undo file; kInvalidArgument for a cluster or a member
/// that the directory knows already; kUnavailable if a process holds log or db; I/O.
/// *Durability:* everything is on disk when it returns; after a crash on the way the directory is
/// the old one, or takes no start before undo_remember().
Result<std::vector<std::string>> remember(FileSystem& fs, tool::Names& names, Process& process,
                                          const DataDir& dir, const Evidence& evidence,
                                          const RememberPlan& plan, const NewCluster& cluster);

/// Puts everything back, also after a remember() that was broken off, and removes the undo file.
/// *Errors:* kFailedPrecondition if a member has run on the directory since; kCorruption for a
/// damaged undo file; kUnavailable; I/O. *Durability:* as remember().
Result<std::vector<std::string>> undo_remember(FileSystem& fs, tool::Names& names, Process& process,
                                               const DataDir& dir, const std::string& undo_file);

}  // namespace truss::waltool
