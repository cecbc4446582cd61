#pragma once

#include <span>
#include <string>
#include <string_view>

#include "truss/raft/membership.h"
#include "truss/raft/ready.h"
#include "truss/raft/status.h"
#include "truss/raft/types.h"

/// The text forms of raft's values: etcd-io/raft's trace format, and the only place that knows it.
namespace truss::raft {

std::string_view to_text(EntryType type);
std::string_view to_text(MessageType type);
std::string_view to_text(Role role);
std::string_view to_text(ProgressState state);
/// etcd's error text, e.g. `raft proposal dropped`.
std::string_view to_text(Refusal refusal);

/// Lower-case hex; `None`, `AppendThread`, `ApplyThread` for the special ids.
std::string node_text(NodeId id);
/// `1/11 EntryNormal "data"`; conf changes as `v2 l3`.
std::string to_text(const Entry& entry);
/// One entry a line.
std::string to_text(std::span<const Entry> entries);
/// `v1 l2 r3 u4`
std::string to_text(std::span<const ConfChangeSingle> changes);
std::string to_text(const HardState& state);
std::string to_text(const Snapshot& snapshot);
/// Without a final newline; several lines if it holds entries, a snapshot or responses.
std::string to_text(const Message& message);
/// The lines of a Ready, or `<empty Ready>`.
std::string to_text(const Ready& ready);
/// `voters=(1 2)&&(1) learners=(3)`
std::string config_text(const ConfState& config);
/// `StateReplicate match=3 next=4`
std::string to_text(const Progress& progress);
/// `1: StateReplicate match=3 next=4` a line and peer.
std::string to_text(std::span<const Progress> peers);

}  // namespace truss::raft
