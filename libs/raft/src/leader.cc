#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "core.h"
#include "truss/raft/codec.h"
#include "truss/raft/text.h"

/// What a leader does with proposals and answers (raft paper §5.3, thesis §3.10 and §4).
namespace truss::raft {

StepResult Core::on_message_as_leader(Leader& leader, Message& m) {
  switch (m.type) {
    case MessageType::kBeat:
      broadcast_heartbeat(leader);
      return {};
    case MessageType::kCheckQuorum:
      check_quorum();
      return {};
    case MessageType::kProp:
      return on_proposal(leader, m);
    case MessageType::kReadIndex:
      return on_read_request(leader, m);
    default:
      break;
  }
  if (Progress* peer = tracker_.find(m.from)) on_answer(leader, *peer, m);
  return {};
}

void Core::on_answer(Leader& leader, Progress& peer, Message& m) {
  switch (m.type) {
    case MessageType::kAppResp:
      return on_append_answer(leader, peer, m);
    case MessageType::kHeartbeatResp:
      return on_heartbeat_answer(leader, peer, m);
    case MessageType::kSnapStatus:
      return peer.on_snapshot_status(!m.reject);
    case MessageType::kUnreachable:
      return peer.on_unreachable();
    case MessageType::kTransferLeader:
      return on_transfer_request(leader, peer);
    default:
      return;
  }
}

void Core::on_append_answer(Leader& leader, Progress& peer, const Message& m) {
  peer.heard();
  if (!m.reject) return on_accepted(leader, peer, m);
  // The mirror of the follower's walk: our entries above the hint's term can't match there.
  const Index hint =
      m.log_term == Term{} ? m.reject_hint : log_.walk_back(m.reject_hint, m.log_term).index;
  if (peer.on_reject(m.index, hint)) send_append(peer, true);
}

void Core::on_accepted(Leader& leader, Progress& peer, const Message& m) {
  if (m.index <= peer.match && peer.state != ProgressState::kProbe) return;  // the usual no-op
  if (!peer.on_ack(m.index, log_.first_index())) return;
  const bool remote = peer.id != id();
  if (try_commit()) {
    release_parked_reads(leader);
    broadcast_append();
  } else if (remote && peer.can_bump_commit(log_.committed())) {
    send_append(peer, true);
  }
  if (!remote) return;
  while (send_append(peer, false)) {
  }
  if (peer.id == leader.transferee && peer.match == log_.last_index()) send_timeout_now(peer.id);
}

void Core::on_heartbeat_answer(Leader& leader, Progress& peer, const Message& m) {
  peer.on_heartbeat_response();
  // With a full window this is an empty append: its answer tells which messages were lost.
  if (peer.match < log_.last_index() || peer.state == ProgressState::kProbe) {
    send_append(peer, true);
  }
  if (config_.read_mode != ReadMode::kSafe || leader.reads.empty()) return;
  std::uint64_t position = 0;
  if (!read_position(m.context.view(), position)) return;
  if (position > leader.reads.newest()) return;
  peer.read_ack = std::max(peer.read_ack, position);
  release_confirmed_reads(leader);
}

void Core::on_transfer_request(Leader& leader, const Progress& peer) {
  if (peer.learner) return;
  if (peer.id == leader.transferee) return;  // under way
  leader.transferee = kNoNode;               // another one is given up
  if (peer.id == id()) return;
  election_elapsed_ = 0;  // the transfer has one whole election time-out
  leader.transferee = peer.id;
  logger_.info("starts to transfer leadership",
               {{"raft-id", node_text(id())}, {"to", node_text(peer.id)}, {"term", term_.value()}});
  if (peer.match == log_.last_index()) return send_timeout_now(peer.id);
  send_append(*tracker_.find(peer.id), true);
}

StepResult Core::on_proposal(Leader& leader, Message& m) {
  if (tracker_.find(id()) == nullptr) return tl::unexpected(Refusal::kNotMember);
  if (leader.transferee != kNoNode) return tl::unexpected(Refusal::kTransferring);
  if (!admit_conf_changes(leader, m.entries)) return tl::unexpected(Refusal::kMalformed);
  if (!append(leader, m.entries)) return tl::unexpected(Refusal::kUncommittedTooBig);
  broadcast_append();
  return {};
}

namespace {

/// Whether the conf change in `entry` leaves a joint configuration; nothing if it can't be read, or
/// could never be applied.
std::optional<bool> wants_to_leave(const Entry& entry) {
  if (entry.type == EntryType::kConfChange) {
    const Result<ConfChange> change = decode_conf_change(entry.data.view());
    if (!change || is_storage_thread(change->node_id)) return std::nullopt;
    return false;
  }
  const Result<ConfChangeV2> change = decode_conf_change_v2(entry.data.view());
  if (!change || names_storage_thread(change->changes)) return std::nullopt;
  return change->changes.empty();
}

}  // namespace

bool Core::admit_conf_changes(Leader& leader, std::span<Entry> entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].type == EntryType::kNormal) continue;
    const std::optional<bool> leave = wants_to_leave(entries[i]);
    if (!leave) return false;
    const ConfChangeObstacle obstacle = obstacle_to(*leave);
    if (obstacle != ConfChangeObstacle::kNone) {
      logger_.info("ignoring a conf change",
                   {{"raft-id", node_text(id())}, {"reason", reason(obstacle)}});
      entries[i] = Entry{};
      continue;
    }
    leader.pending_conf_index = log_.last_index() + i + 1;
  }
  return true;
}

ConfChangeObstacle Core::obstacle_to(bool leave) const {
  const Leader* leader = leading();
  if (leader == nullptr) return ConfChangeObstacle::kNotLeader;
  if (config_.disable_conf_change_validation) return ConfChangeObstacle::kNone;
  if (leader->pending_conf_index > log_.applied()) return ConfChangeObstacle::kPending;
  if (tracker_.membership().joint() == leave) return ConfChangeObstacle::kNone;
  return leave ? ConfChangeObstacle::kNotJoint : ConfChangeObstacle::kJoint;
}

bool Core::append(Leader& leader, std::span<Entry> entries) {
  const std::uint64_t bytes = payload_size(entries);
  const std::uint64_t limit = config_.max_uncommitted_size;
  // An empty tail takes anything, else a big proposal could never pass.
  if (limit != 0 && bytes > 0 && leader.uncommitted_bytes > 0 &&
      leader.uncommitted_bytes + bytes > limit) {
    return false;
  }
  leader.uncommitted_bytes += bytes;
  Index last = log_.last_index();
  for (Entry& entry : entries) {
    entry.term = term_;
    entry.index = ++last;
  }
  log_.append(entries);
  // The leader acknowledges to itself, when the entries are durable.
  emit(MessageType::kAppResp, id()).index = last;
  return true;
}

void Core::check_quorum() {
  const bool active = tracker_.quorum_active();
  tracker_.mark_inactive(id());
  if (!active) lose_quorum();
}

void Core::lose_quorum() {
  logger_.warn("stepped down: quorum is not active", {{"raft-id", node_text(id())}});
  become_follower(term_, kNoNode, StepDownReason::kNoQuorum);
}

void Core::step_down() {
  if (role() == Role::kFollower) return;
  logger_.warn("stepped down: asked to", {{"raft-id", node_text(id())}});
  become_follower(term_, kNoNode, StepDownReason::kAsked);
}

std::vector<NodeId> Core::transfer_candidates() const {
  std::vector<const Progress*> peers;
  if (leading() == nullptr) return {};
  for (const Progress& peer : tracker_.peers()) {
    if (peer.id != id() && !peer.learner && peer.recent_active) peers.push_back(&peer);
  }
  std::stable_sort(peers.begin(), peers.end(),
                   [](const Progress* a, const Progress* b) { return a->match > b->match; });
  std::vector<NodeId> out;
  for (const Progress* peer : peers) out.push_back(peer->id);
  return out;
}

std::optional<Index> Core::known_to_all() const {
  if (leading() == nullptr) return std::nullopt;
  Index lowest = log_.last_index();
  for (const Progress& peer : tracker_.peers()) {
    if (peer.id != id()) lowest = std::min(lowest, peer.match);
  }
  return lowest;
}

void Core::report_unreachable(NodeId id) {
  Progress* peer = tracker_.find(id);
  if (leading() != nullptr && peer != nullptr) peer->on_unreachable();
}

void Core::report_snapshot(NodeId id, bool delivered) {
  Progress* peer = tracker_.find(id);
  if (leading() != nullptr && peer != nullptr) peer->on_snapshot_status(delivered);
}

StepResult Core::propose(std::span<Entry> entries) {
  scratch_.type = MessageType::kProp;
  scratch_.from = id();
  scratch_.entries.assign(std::make_move_iterator(entries.begin()),
                          std::make_move_iterator(entries.end()));
  return dispatch(scratch_);
}

void Core::transfer_leader(NodeId to) {
  Message m;
  m.type = MessageType::kTransferLeader;
  m.from = to;
  (void)dispatch(m);
}

}  // namespace truss::raft
