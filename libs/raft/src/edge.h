#pragma once

#include <optional>

#include "core.h"

namespace truss::raft {

/// Whether a message may come in from outside: of a kind that travels, for this node, from a member
/// if it is an answer, and of a shape that correct peers send.
/// Source: etcd-io/raft RawNode.Step; the shape is our own care.
std::optional<Refusal> refuse_at_edge(const Core& core, const Message& m);

}  // namespace truss::raft
