#pragma once

#include <string_view>
#include <vector>

#include "datadriven.h"
#include "truss/raft/types.h"

namespace truss::conformance {

// `rewritten`: see run().

/// Runs a file of multi-node traces: a fresh set of nodes, every command in order.
Outcome run_interaction(std::string_view text, std::string* rewritten = nullptr);
/// Runs a file of commit-index and vote-result cases.
Outcome run_quorum(std::string_view text, std::string* rewritten = nullptr);
/// Runs a file of membership changes on one tracker.
Outcome run_confchange(std::string_view text, std::string* rewritten = nullptr);

/// `v1 l2 r3 u4`: add a voter, add a learner, remove, update.
Result<std::vector<raft::ConfChangeSingle>> parse_changes(std::string_view text);

}  // namespace truss::conformance
