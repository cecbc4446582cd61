#include "core.h"

#include <algorithm>
#include <string>
#include <utility>

#include "term_gate.h"
#include "truss/common/check.h"
#include "truss/raft/text.h"

namespace truss::raft {

namespace {

std::uint64_t applying_limit(const Config& config) {
  const std::uint64_t limit = config.max_committed_size_per_ready != 0
                                  ? config.max_committed_size_per_ready
                                  : config.max_size_per_message;
  return std::max<std::uint64_t>(limit, 1);
}

}  // namespace

bool waits_for_disk(MessageType type) {
  return type == MessageType::kAppResp || type == MessageType::kVoteResp ||
         type == MessageType::kPreVoteResp;
}

std::uint64_t payload_size(std::span<const Entry> entries) {
  std::uint64_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.data.size();
  return bytes;
}

Core::Core(const Config& config, const Storage& storage, Random& random, Logger& log)
    : config_(config),
      random_(random),
      logger_(log),
      log_(storage, applying_limit(config)),
      tracker_(Inflights(config.max_inflight_messages, config.max_inflight_bytes)) {}

Result<> Core::start() {
  const Storage::InitialState saved = log_.storage().initial_state();
  const Changer changer(tracker_.membership(), log_.last_index(), tracker_.window());
  TRUSS_ASSIGN(Membership members, changer.restore(saved.conf_state));
  tracker_.switch_to(std::move(members));
  if (!saved.hard_state.empty()) {
    const Index commit = saved.hard_state.commit;
    if (commit < log_.committed() || commit > log_.last_index()) {
      return fail(Code::kCorruption, "raft hard state: commit " + std::to_string(commit.value()) +
                                         " lies outside the log [" +
                                         std::to_string(log_.committed().value()) + ", " +
                                         std::to_string(log_.last_index().value()) + "]");
    }
    term_ = saved.hard_state.term;
    vote_ = saved.hard_state.vote;
    log_.set_committed(commit);
  }
  if (config_.applied != Index{}) {
    if (config_.applied < log_.applied() || config_.applied > log_.committed()) {
      return fail(Code::kInvalidArgument,
                  "raft config: applied " + std::to_string(config_.applied.value()) +
                      " lies outside [" + std::to_string(log_.applied().value()) + ", " +
                      std::to_string(log_.committed().value()) + "]");
    }
    log_.applied_to(config_.applied, 0);
  }
  become_follower(term_, kNoNode);
  return {};
}

NodeId Core::leader() const {
  if (const auto* follower = std::get_if<Follower>(&role_)) return follower->leader;
  return leading() != nullptr ? id() : kNoNode;
}

NodeId Core::transferee() const { return leading() != nullptr ? leading()->transferee : kNoNode; }

const Tally* Core::votes() const {
  if (const auto* asking = std::get_if<PreCandidate>(&role_)) return &asking->votes;
  const auto* standing = std::get_if<Candidate>(&role_);
  return standing != nullptr ? &standing->votes : nullptr;
}

StepResult Core::step(Message& m) {
  if (m.term != term_ && m.term != Term{} && !pass_gate(m)) return {};
  return dispatch(m);
}

bool Core::pass_gate(Message& m) {
  const Gate gate = gate_of(m.type, m.term > term_ ? TermOrder::kHigher : TermOrder::kLower);
  const bool shielded = lease_shields() && m.context.view() != kCampaignTransfer;
  switch (gate) {
    case Gate::kPass:
      return true;
    case Gate::kDrop:
      return false;
    case Gate::kFollowNobody:
      become_follower(m.term, kNoNode);
      return true;
    case Gate::kFollowSender:
      become_follower(m.term, m.from);
      return true;
    case Gate::kVoteUnlessLease:
      if (!shielded) become_follower(m.term, kNoNode);
      return !shielded;
    case Gate::kPassUnlessLease:
      return !shielded;
    case Gate::kPreVoteAnswer:
      if (m.reject) become_follower(m.term, kNoNode);
      return true;
    case Gate::kNudgeStaleLeader:
      // Without these options a higher term disrupts the old leader by votes anyway.
      if (config_.check_quorum || config_.pre_vote) emit(MessageType::kAppResp, m.from);
      return false;
    case Gate::kRefusePreVote:
      emit(MessageType::kPreVoteResp, m.from).reject = true;
      return false;
    case Gate::kStorageOnly:
      if (m.has_snapshot) snapshot_applied(m.snapshot.metadata.index);
      return false;
  }
  return false;
}

StepResult Core::dispatch(Message& m) {
  switch (m.type) {
    case MessageType::kHup:
      hup();
      return {};
    case MessageType::kStorageAppendResp:
      on_storage_append_done(m);
      return {};
    case MessageType::kVote:
    case MessageType::kPreVote:
      on_vote_request(m);
      return {};
    default:
      break;
  }
  switch (role_.index()) {
    case 0:
      return on_message_as_follower(std::get<Follower>(role_), m);
    case 1:
      return on_message_as_candidate(std::get<PreCandidate>(role_).votes, MessageType::kPreVoteResp,
                                     m);
    case 2:
      return on_message_as_candidate(std::get<Candidate>(role_).votes, MessageType::kVoteResp, m);
    default:
      return on_message_as_leader(std::get<Leader>(role_), m);
  }
}

void Core::on_storage_append_done(const Message& m) {
  if (m.index != Index{}) log_.stable_to(m.index, m.log_term);
  if (m.has_snapshot) snapshot_applied(m.snapshot.metadata.index);
}

void Core::snapshot_applied(Index index) {
  log_.stable_snapshot_to(index);
  applied_to(index, 0, 0);
}

void Core::applied_to(Index index, std::uint64_t encoded_bytes, std::uint64_t payload_bytes) {
  log_.applied_to(std::max(index, log_.applied()), encoded_bytes);
  if (Leader* leader = leading()) {
    // Auto-leave looks first: its proposal has no payload, so the limit can't refuse it.
    leave_joint_when_applied(*leader);
  }
  if (Leader* leader = leading()) {
    leader->uncommitted_bytes -= std::min(leader->uncommitted_bytes, payload_bytes);
  }
}

void Core::tick() {
  if (Leader* leader = leading()) {
    tick_leader(*leader);
  } else {
    tick_election();
  }
}

void Core::tick_election() {
  ++election_elapsed_;
  const bool due = tick_to_stand() || election_elapsed_ >= randomized_timeout_;
  if (!due || standing_bar() != NoLeaderReason::kHasLeader) return repeat_requests();
  election_elapsed_ = 0;
  stand_in_ = 0;
  hup();
}

void Core::tick_leader(Leader& leader) {
  ++leader.heartbeat_elapsed;
  ++election_elapsed_;
  if (config_.brisk_elections && config_.check_quorum) check_silence();
  if (leading() == nullptr) return;
  if (election_elapsed_ >= config_.election_tick) {
    election_elapsed_ = 0;
    if (config_.check_quorum) check_quorum();
    if (leading() == nullptr) return;
    leader.transferee = kNoNode;  // it had a whole time-out
  }
  if (leader.heartbeat_elapsed < config_.heartbeat_tick) return;
  leader.heartbeat_elapsed = 0;
  broadcast_heartbeat(leader);
}

void Core::reset(Term term) {
  if (term_ != term) {
    term_ = term;
    vote_ = kNoNode;
  }
  election_elapsed_ = 0;
  stand_in_ = 0;
  randomized_timeout_ = config_.election_tick + random_.below(config_.election_tick);
  for (Progress& peer : tracker_.peers()) peer.reset(log_.last_index());
}

void Core::become_follower(Term term, NodeId leader, StepDownReason why) {
  if (leading() != nullptr) stepped_down_ = why;
  if (leader != kNoNode) stood_soon_ = 0;
  reset(term);
  role_ = Follower{leader};
  logger_.info(
      "became follower",
      {{"raft-id", node_text(id())}, {"term", term_.value()}, {"leader", node_text(leader)}});
}

void Core::become_pre_candidate() {
  // No reset: term, vote, timers and progress stay, as nothing has happened yet.
  role_ = PreCandidate{};
  logger_.info("became pre-candidate", {{"raft-id", node_text(id())}, {"term", term_.value()}});
}

void Core::become_candidate() {
  TRUSS_CHECK(leading() == nullptr, "a raft leader can't become candidate");
  reset(term_ + 1);
  vote_ = id();
  role_ = Candidate{};
  logger_.info("became candidate", {{"raft-id", node_text(id())}, {"term", term_.value()}});
}

void Core::become_leader() {
  TRUSS_CHECK(role() == Role::kCandidate, "only a raft candidate can become leader");
  reset(term_);
  Leader& leader = role_.emplace<Leader>();
  if (Progress* self = tracker_.find(id())) self->become_self();
  // Conservative: any entry of the tail may be a conf change that is not applied yet.
  leader.pending_conf_index = log_.last_index();
  Entry empty;
  append(leader, std::span(&empty, 1));
  logger_.info("became leader", {{"raft-id", node_text(id())}, {"term", term_.value()}});
}

Message& Core::emit(MessageType type, NodeId to) {
  const bool waits = waits_for_disk(type);
  TRUSS_CHECK(waits || to != id(), "a raft message to the node itself would leave at once");
  Message& m = (waits ? after_append : outbox).add();
  m.type = type;
  m.to = to;
  m.from = id();
  m.term = term_;
  return m;
}

void Core::forward(Message& m, NodeId leader) {
  Message& out = emit(m.type, leader);
  if (m.from != kNoNode) out.from = m.from;
  // A proposal or read is served in whatever term it arrives.
  if (m.type == MessageType::kProp || m.type == MessageType::kReadIndex) out.term = Term{};
  out.entries.assign(std::make_move_iterator(m.entries.begin()),
                     std::make_move_iterator(m.entries.end()));
  out.context = std::move(m.context);
}

}  // namespace truss::raft
