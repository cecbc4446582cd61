#pragma once

#include <compare>

#include "truss/raft/types.h"

namespace truss::raft {

/// Names one snapshot of the log: the last entry that it covers. {0, 0} is the empty log.
struct SnapshotMark {
  Index index{};
  Term term{};

  friend auto operator<=>(const SnapshotMark&, const SnapshotMark&) = default;
};

}  // namespace truss::raft
