#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "log.h"
#include "roles.h"
#include "tracker.h"
#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/config.h"
#include "truss/raft/raw_node.h"
#include "truss/raft/ready.h"
#include "truss/raft/status.h"

namespace truss::raft {

/// The protocol. Inputs are step(), tick() and the calls below; outputs collect in `outbox`,
/// `after_append` and `read_states` until RawNode makes a Ready of them.
///
/// Files: core.cc (terms, dispatch, clock, transitions), election.cc, follower.cc, leader.cc
/// (answers, proposals), replication.cc (sending), reading.cc, reconfigure.cc, invariants.cc.
class Core {
 public:
  Core(const Config& config, const Storage& storage, Random& random, Logger& log);

  /// Takes over what storage holds. *Errors:* kCorruption, kInvalidArgument.
  Result<> start();

  void tick();
  StepResult step(Message& m);
  void hup() { campaign_if_allowed(config_.pre_vote ? Campaign::kPreVote : Campaign::kVote); }
  StepResult propose(std::span<Entry> entries);
  void read(ReadRequest request);
  void forget_leader();
  void step_down();
  void allow_campaigns(bool allowed) { campaigns_allowed_ = allowed; }
  /// A member that leads says that we acknowledged everything up to `index`.
  void must_hold(Index index) { must_hold_ = std::max(must_hold_, index); }
  /// A transfer to `id`, asked for here.
  void transfer_leader(NodeId id);
  void report_unreachable(NodeId id);
  void report_snapshot(NodeId id, bool delivered);
  void applied_to(Index index, std::uint64_t encoded_bytes, std::uint64_t payload_bytes);
  void snapshot_applied(Index index);
  Result<ConfState> reconfigure(const ConfChangeV2& change);
  /// The founding entries; all of them are committed.
  void found(std::span<Entry> entries);

  NodeId id() const { return config_.id; }
  const Config& config() const { return config_; }
  Term term() const { return term_; }
  Role role() const {
    constexpr Role kRoles[] = {Role::kFollower, Role::kPreCandidate, Role::kCandidate,
                               Role::kLeader};
    return kRoles[role_.index()];
  }
  NodeId leader() const;
  SoftState soft_state() const { return {leader(), role()}; }
  HardState hard_state() const { return {term_, vote_, log_.committed()}; }
  const Tracker& tracker() const { return tracker_; }
  Log& log() { return log_; }
  const Log& log() const { return log_; }
  /// What keeps this node from standing for election; kHasLeader if nothing.
  NoLeaderReason bar_to_campaign() const;
  ConfChangeObstacle obstacle_to(bool leave) const;
  std::vector<NodeId> transfer_candidates() const;
  std::optional<Index> known_to_all() const;
  NodeId transferee() const;
  /// The answers to the campaign under way, if any.
  const Tally* votes() const;
  StepDownReason stepped_down() const { return stepped_down_; }
  void set_randomized_election_timeout(std::uint64_t ticks) { randomized_timeout_ = ticks; }
  void check_invariants() const;

  MessageList outbox;        ///< may leave at once
  MessageList after_append;  ///< may leave once hard state and entries so far are durable
  std::vector<ReadState> read_states;

 private:
  enum class Campaign : std::uint8_t { kPreVote, kVote, kTransfer };

  // core.cc
  bool pass_gate(Message& m);
  StepResult dispatch(Message& m);
  void on_storage_append_done(const Message& m);
  void tick_election();
  void tick_leader(Leader& leader);
  void reset(Term term);
  void become_follower(Term term, NodeId leader, StepDownReason why = StepDownReason::kHigherTerm);
  void become_pre_candidate();
  void become_candidate();
  void become_leader();
  Message& emit(MessageType type, NodeId to);
  void forward(Message& m, NodeId leader);
  Leader* leading() { return std::get_if<Leader>(&role_); }
  const Leader* leading() const { return std::get_if<Leader>(&role_); }

  // election.cc
  bool lease_shields() const;
  NoLeaderReason standing_bar() const;
  void campaign_if_allowed(Campaign kind);
  void campaign(Campaign kind);
  void request_vote(NodeId voter);
  void on_vote_request(const Message& m);
  StepResult on_message_as_candidate(Tally& votes, MessageType awaited, Message& m);
  void on_vote(Tally& votes, const Message& m);

  // contest.cc
  bool awaits_own_vote() const;
  bool tick_to_stand();
  void repeat_requests();
  void note_rival(const Message& m);
  void stand_soon(std::uint64_t spread);
  void note_refusal();
  void lose_election();
  void check_silence();
  NodeId heir() const;

  // follower.cc
  StepResult on_message_as_follower(Follower& follower, Message& m);
  void on_append(Message& m);
  void on_heartbeat(Message& m);
  void on_snapshot(Message& m);
  void follow(Message& m);
  bool restore(const Snapshot& snapshot);

  // leader.cc
  StepResult on_message_as_leader(Leader& leader, Message& m);
  void on_answer(Leader& leader, Progress& peer, Message& m);
  void on_append_answer(Leader& leader, Progress& peer, const Message& m);
  void on_accepted(Leader& leader, Progress& peer, const Message& m);
  void on_heartbeat_answer(Leader& leader, Progress& peer, const Message& m);
  void on_transfer_request(Leader& leader, const Progress& peer);
  StepResult on_proposal(Leader& leader, Message& m);
  bool admit_conf_changes(Leader& leader, std::span<Entry> entries);
  bool append(Leader& leader, std::span<Entry> entries);
  void check_quorum();
  void lose_quorum();

  // replication.cc
  bool send_append(Progress& peer, bool even_if_empty);
  bool send_snapshot(Progress& peer);
  void send_heartbeat(Progress& peer, const SharedBytes& context);
  void send_timeout_now(NodeId to) { emit(MessageType::kTimeoutNow, to); }
  void broadcast_append();
  void broadcast_heartbeat(const Leader& leader);
  bool try_commit();

  // reading.cc
  StepResult on_read_request(Leader& leader, Message& m);
  void serve_read(Leader& leader, ReadRequest request);
  void answer_read(const ReadRequest& request, Index index);
  void release_parked_reads(Leader& leader);
  void release_confirmed_reads(Leader& leader);
  bool committed_in_term() const;
  bool log_too_short() const { return log_.last_index() < must_hold_; }

  // reconfigure.cc
  ConfState switch_to(Membership next);
  void leave_joint_when_applied(Leader& leader);

  Config config_;
  Random& random_;
  Logger& logger_;
  Log log_;
  Tracker tracker_;
  Term term_;
  NodeId vote_;
  RoleData role_;
  StepDownReason stepped_down_ = StepDownReason::kNever;
  bool campaigns_allowed_ = true;
  Index must_hold_;  // zero unless our log was found to miss what we acknowledged
  std::uint64_t election_elapsed_ = 0;
  std::uint64_t randomized_timeout_ = 0;
  std::uint64_t stand_in_ = 0;    // ticks until it stands again; 0: only when timed out
  std::uint64_t stood_soon_ = 0;  // times since a leader was known
  Campaign campaign_ = Campaign::kVote;
  std::vector<ReadRequest> parked_reads_;     // until the first commit of a term
  std::vector<ReadQueue::Waiting> released_;  // reused
  Message scratch_;                           // reused for local inputs
};

/// Kinds that promise something about our disk, refusals included.
bool waits_for_disk(MessageType type);
/// Payload bytes; what windows and the uncommitted limit count.
std::uint64_t payload_size(std::span<const Entry> entries);
/// The context that marks a vote request of a leadership transfer.
inline constexpr std::string_view kCampaignTransfer = "CampaignTransfer";

}  // namespace truss::raft
