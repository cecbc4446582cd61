#include <algorithm>

#include "core.h"
#include "truss/raft/text.h"

/// What a follower does with its leader's messages (raft paper §5.3, §7).
namespace truss::raft {

StepResult Core::on_message_as_follower(Follower& follower, Message& m) {
  switch (m.type) {
    case MessageType::kProp:
      if (follower.leader == kNoNode) return tl::unexpected(Refusal::kNoLeader);
      if (config_.disable_proposal_forwarding) return tl::unexpected(Refusal::kForwardingOff);
      forward(m, follower.leader);
      return {};
    case MessageType::kTransferLeader:
    case MessageType::kReadIndex:
      if (follower.leader != kNoNode) forward(m, follower.leader);
      return {};
    case MessageType::kApp:
    case MessageType::kHeartbeat:
    case MessageType::kSnap:
      election_elapsed_ = 0;
      stand_in_ = 0;
      stood_soon_ = 0;
      follower.leader = m.from;
      follow(m);
      return {};
    case MessageType::kForgetLeader:
      forget_leader();
      return {};
    case MessageType::kTimeoutNow:
      campaign_if_allowed(Campaign::kTransfer);
      return {};
    case MessageType::kReadIndexResp:
      if (m.entries.size() == 1) {
        read_states.push_back({m.index, std::move(m.entries.front().data)});
      }
      return {};
    default:
      return {};
  }
}

void Core::forget_leader() {
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr) return;
  if (config_.read_mode == ReadMode::kLease) {
    // The leader may serve reads by a lease that a new election would break.
    logger_.error("ignoring forget-leader in lease read mode", {{"raft-id", node_text(id())}});
    return;
  }
  follower->leader = kNoNode;
}

void Core::follow(Message& m) {
  switch (m.type) {
    case MessageType::kApp:
      return on_append(m);
    case MessageType::kHeartbeat:
      return on_heartbeat(m);
    default:
      return on_snapshot(m);
  }
}

void Core::on_append(Message& m) {
  Message& answer = emit(MessageType::kAppResp, m.from);
  if (m.index < log_.committed()) {
    answer.index = log_.committed();
    return;
  }
  const Index last_new = m.index + m.entries.size();
  if (log_.try_append(m.index, m.log_term, m.commit, m.entries)) {
    answer.index = last_new;
    return;
  }
  // Suggest where the logs may meet: nothing of ours with a term above the leader's can be right.
  //
  //   leader   1 1 1 3 3 3 [3]      probe at (7, term 3)
  //   us       1 1 1 2 2 2 2        walk back to index 7, term 2: the leader goes on from its own
  //                                 last entry of term <= 2, index 3, and skips three rounds
  const EntryId hint = log_.walk_back(std::min(m.index, log_.last_index()), m.log_term);
  answer.index = m.index;
  answer.reject = true;
  answer.reject_hint = hint.index;
  answer.log_term = hint.term;
}

void Core::on_heartbeat(Message& m) {
  log_.commit_to(m.commit);
  emit(MessageType::kHeartbeatResp, m.from).context = std::move(m.context);
}

void Core::on_snapshot(Message& m) {
  const bool restored = restore(m.snapshot);
  emit(MessageType::kAppResp, m.from).index = restored ? log_.last_index() : log_.committed();
}

bool Core::restore(const Snapshot& snapshot) {
  const SnapshotMetadata& meta = snapshot.metadata;
  if (meta.index <= log_.committed()) return false;
  const auto holds = [this](const std::vector<NodeId>& ids) {
    return std::find(ids.begin(), ids.end(), id()) != ids.end();
  };
  const ConfState& config = meta.conf_state;
  if (!holds(config.voters) && !holds(config.learners) && !holds(config.voters_outgoing)) {
    logger_.warn("ignored a snapshot of a configuration without this node",
                 {{"raft-id", node_text(id())}, {"index", meta.index.value()}});
    return false;
  }
  if (log_.matches(meta.index, meta.term)) {
    log_.commit_to(meta.index);  // nothing that we do not have
    return false;
  }
  const Changer changer(tracker_.membership(), meta.index, tracker_.window());
  Result<Membership> members = changer.restore(config);
  if (!members) {
    logger_.error("ignored a snapshot", {{"raft-id", node_text(id())},
                                         {"error", std::string_view(members.error().message)}});
    return false;
  }
  log_.restore(snapshot);
  switch_to(std::move(*members));
  logger_.info(
      "restored snapshot",
      {{"raft-id", node_text(id())}, {"index", meta.index.value()}, {"term", meta.term.value()}});
  return true;
}

}  // namespace truss::raft
