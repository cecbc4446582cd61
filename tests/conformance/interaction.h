#pragma once

#include <string_view>
#include <vector>

#include "datadriven.h"
#include "truss/raft/types.h"

namespace truss::conformance {

/// Runs a file of multi-node traces: a fresh set of nodes, every command in order.
Outcome run_interaction(std::string_view text);
/// Runs a file of commit-index and vote-result cases.
Outcome run_quorum(std::string_view text);
/// Runs a file of membership changes on one tracker.
Outcome run_confchange(std::string_view text);

/// `v1 l2 r3 u4`: add a voter, add a learner, remove, update.
Result<std::vector<raft::ConfChangeSingle>> parse_changes(std::string_view text);

}  // namespace truss::conformance
