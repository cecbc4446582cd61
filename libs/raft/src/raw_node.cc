#include "truss/raft/raw_node.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core.h"
#include "edge.h"
#include "node.h"
#include "truss/common/check.h"
#include "truss/raft/codec.h"

namespace truss::raft {

RawNode::RawNode(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RawNode::~RawNode() = default;

Result<std::unique_ptr<RawNode>> RawNode::create(const Config& config, const Storage& storage,
                                                 Random& random, Logger& log) {
  TRUSS_TRY(validate(config));
  auto impl = std::make_unique<Impl>(config, storage, random, log);
  TRUSS_TRY(impl->core.start());
  impl->remember();
  return std::unique_ptr<RawNode>(new RawNode(std::move(impl)));
}

Result<> RawNode::bootstrap(std::span<const Peer> peers) {
  Core& core = impl_->core;
  if (peers.empty()) {
    return fail(Code::kInvalidArgument, "raft bootstrap: must provide at least one peer");
  }
  if (core.log().last_index() != Index{}) {
    return fail(Code::kFailedPrecondition, "raft bootstrap: storage already holds entries up to " +
                                               std::to_string(core.log().last_index().value()));
  }
  std::vector<Entry> entries;
  for (const Peer& peer : peers) {
    const ConfChange add{0, ConfChangeType::kAddNode, peer.id, peer.context};
    entries.push_back({Term{1}, Index{entries.size() + 1}, EntryType::kConfChange,
                       SharedBytes::copy(encoded(add))});
  }
  core.found(entries);
  // The members count at once, so that an election can start; their entries come again to be
  // applied, and applying them is idempotent.
  for (const Peer& peer : peers) {
    TRUSS_TRY(core.reconfigure(as_v2({0, ConfChangeType::kAddNode, peer.id, {}})));
  }
  impl_->previous_hard = HardState{};  // nothing of it is durable yet
  return {};
}

void RawNode::tick() {
  impl_->core.tick();
  impl_->checked();
}

void RawNode::campaign() {
  impl_->core.hup();
  impl_->checked();
}

StepResult RawNode::propose(SharedBytes data) { return propose(std::span(&data, 1)); }

StepResult RawNode::propose(std::span<SharedBytes> data) {
  TRUSS_CHECK(!data.empty(), "empty raft proposal");
  impl_->proposal.clear();
  for (SharedBytes& bytes : data) impl_->proposal.emplace_back().data = std::move(bytes);
  return impl_->propose();
}

StepResult RawNode::propose_conf_change(const ConfChange& change) {
  impl_->proposal.clear();
  impl_->proposal.push_back(
      {Term{}, Index{}, EntryType::kConfChange, SharedBytes::copy(encoded(change))});
  return impl_->propose();
}

StepResult RawNode::propose_conf_change(const ConfChangeV2& change) {
  impl_->proposal.clear();
  impl_->proposal.push_back(
      {Term{}, Index{}, EntryType::kConfChangeV2, SharedBytes::copy(encoded(change))});
  return impl_->propose();
}

Result<ConfState> RawNode::apply_conf_change(const ConfChange& change) {
  return apply_conf_change(as_v2(change));
}

Result<ConfState> RawNode::apply_conf_change(const ConfChangeV2& change) {
  Result<ConfState> applied = impl_->core.reconfigure(change);
  impl_->checked();
  return applied;
}

StepResult RawNode::step(Message&& message) {
  if (const auto refusal = refuse_at_edge(impl_->core, message)) {
    const bool member = impl_->core.tracker().find(message.from) != nullptr;
    if (*refusal == Refusal::kLogTooShort && member) impl_->core.must_hold(message.commit);
    return tl::unexpected(*refusal);
  }
  if (message.type == MessageType::kStorageApplyResp) {
    impl_->entries_applied(message.entries);
    return {};
  }
  const StepResult result = impl_->core.step(message);
  impl_->checked();
  return result;
}

bool RawNode::has_ready() const { return impl_->has_ready(); }
Ready& RawNode::ready() { return impl_->make_ready(); }

void RawNode::advance() {
  impl_->advance();
  impl_->checked();
}

void RawNode::report_unreachable(NodeId id) { impl_->core.report_unreachable(id); }

void RawNode::report_snapshot(NodeId id, bool delivered) {
  impl_->core.report_snapshot(id, delivered);
}

void RawNode::transfer_leader(NodeId id) {
  impl_->core.transfer_leader(id);
  impl_->checked();
}

void RawNode::forget_leader() { impl_->core.forget_leader(); }

void RawNode::step_down() {
  impl_->core.step_down();
  impl_->checked();
}

void RawNode::allow_campaigns(bool allowed) { impl_->core.allow_campaigns(allowed); }

std::vector<NodeId> RawNode::transfer_candidates() const {
  return impl_->core.transfer_candidates();
}

std::optional<Index> RawNode::known_to_all() const { return impl_->core.known_to_all(); }

ConfChangeObstacle RawNode::obstacle_to(const ConfChangeV2& change) const {
  return impl_->core.obstacle_to(change.changes.empty());
}

void RawNode::read_index(SharedBytes context) {
  impl_->core.read({kNoNode, std::move(context)});
  impl_->checked();
}

ConfState RawNode::conf_state() const { return impl_->core.tracker().config(); }

BasicStatus RawNode::basic_status() const { return basic_status_of(impl_->core); }

Status RawNode::status() const { return status_of(impl_->core); }

void RawNode::set_randomized_election_timeout(std::uint64_t ticks) {
  impl_->core.set_randomized_election_timeout(ticks);
}

void RawNode::check_invariants() const { impl_->core.check_invariants(); }

}  // namespace truss::raft
