#pragma once

#include <optional>
#include <string>
#include <vector>

#include "truss/raft/snapshot_mark.h"
#include "truss/waltool/evidence.h"

/// The verdict on a log. Pure: the same evidence gives the same verdict.
namespace truss::waltool {

enum class Verdict : std::uint8_t {
  kClean,     ///< no damage, and nothing missing that other evidence asks for
  kSafeTrim,  ///< damaged; repair loses nothing that the evidence shows committed or synced
  kCovered,   ///< committed entries are damaged, and the db (and a .snap) have them already
  kLost,      ///< committed or synced entries are gone
  kUnknown,   ///< the evidence does not decide
};
/// `CLEAN`, `SAFE-TRIM`, `COVERED`, `LOST`, `UNKNOWN`.
std::string verdict_name(Verdict verdict);
/// 0, 10, 11, 12, 13.
int verdict_exit_code(Verdict verdict);

/// What repair() has to do.
enum class RepairKind : std::uint8_t {
  kNone,     ///< nothing
  kTrim,     ///< cut the last segment at `trim_offset`
  kRebuild,  ///< write a new log from `base` on, of the entries up to `last`
  kRefused,  ///< not without losing what was committed
};
struct RepairPlan {
  RepairKind kind = RepairKind::kNone;
  std::uint64_t trim_offset = 0;
  raft::SnapshotMark base;           ///< the snapshot that the new log begins with
  bool new_snapshot = false;         ///< no .snap is there for it: it is made from the db
  raft::Index last;                  ///< last entry kept
  std::vector<IndexRange> given_up;  ///< readable entries beyond what is kept, never committed
};

struct Judgement {
  Verdict verdict{};
  raft::Index committed;     ///< highest index proved committed
  std::string committed_by;  ///< what proves it: `hard state`, `db`, `snapshot record`, `.snap`
  raft::Index needed;        ///< highest index proved committed or synced
  /// Committed or synced entries that no file has any more, ascending.
  std::vector<IndexRange> lost;
  /// Those that the log lacks and the db has.
  std::vector<IndexRange> covered;
  std::vector<std::string> why;             ///< reasons, one line each
  std::vector<std::string> cannot_exclude;  ///< what may have been, though nothing shows it
  RepairPlan repair;
  /// What the db has applied last, if the term of that entry can be told.
  std::optional<raft::SnapshotMark> applied;
};

Judgement judge(const Evidence& evidence);

}  // namespace truss::waltool
