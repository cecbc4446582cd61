#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "truss/common/error.h"
#include "truss/raft/progress.h"
#include "truss/raft/types.h"

namespace truss::raft {

/// A configuration and one Progress for each of its members, ids ascending.
/// A demoted voter that still counts in the outgoing half waits in `learners_next`.
struct Membership {
  ConfState config;
  std::vector<Progress> peers;

  bool joint() const { return !config.voters_outgoing.empty(); }
  Progress* find(NodeId id);
  const Progress* find(NodeId id) const;
};

/// Computes the membership that follows from changes; never touches the one it was given.
/// New members start at max(last_index, 1), probing and active.
/// *Errors:* all kFailedPrecondition, in etcd's words.
/// Source: raft thesis §4.3; etcd-io/raft confchange.Changer.
class Changer {
 public:
  /// `last_index` of the log now; `window` is copied for each new member.
  Changer(const Membership& current, Index last_index, const Inflights& window)
      : current_(current), last_index_(last_index), window_(window) {}

  /// At most one voter of difference, any number of learners.
  Result<Membership> simple(std::span<const ConfChangeSingle> changes) const;
  /// The joint configuration of the present voters and the changed ones.
  Result<Membership> enter_joint(bool auto_leave, std::span<const ConfChangeSingle> changes) const;
  Result<Membership> leave_joint() const;
  /// Whichever of the three `change` asks for.
  Result<Membership> apply(const ConfChangeV2& change) const;
  /// The membership that `config` describes. *Errors:* kCorruption if no such one can exist.
  Result<Membership> restore(const ConfState& config) const;

 private:
  const Membership& current_;
  Index last_index_;
  const Inflights& window_;
};

/// A v1 change as the one-element v2 change that it equals.
ConfChangeV2 as_v2(const ConfChange& change);
/// Whether `change` leaves a joint configuration.
bool leaves_joint(const ConfChangeV2& change);

/// Whether `changes` would make a member of one of the storage threads' ids.
bool names_storage_thread(std::span<const ConfChangeSingle> changes);

/// Members with a vote in either half, ascending, each once.
std::vector<NodeId> all_voters(const ConfState& config);

}  // namespace truss::raft
