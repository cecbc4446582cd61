#include "core.h"
#include "truss/raft/text.h"

/// Campaigns and votes (raft paper §5.2, §5.4.1; thesis §9.6 for pre-votes).
namespace truss::raft {

bool Core::lease_shields() const {
  return config_.check_quorum && leader() != kNoNode && election_elapsed_ < config_.election_tick;
}

/// What keeps this node from standing, as far as it takes no look at the log.
NoLeaderReason Core::standing_bar() const {
  const Progress* self = tracker_.find(id());
  if (self == nullptr) return NoLeaderReason::kNotMember;
  if (self->learner) return NoLeaderReason::kLearner;
  if (log_.has_pending_snapshot()) return NoLeaderReason::kStoringSnapshot;
  if (!campaigns_allowed_) return NoLeaderReason::kHeldBack;
  if (log_too_short()) return NoLeaderReason::kLogTooShort;
  return NoLeaderReason::kHasLeader;
}

NoLeaderReason Core::bar_to_campaign() const {
  const NoLeaderReason bar = standing_bar();
  if (bar != NoLeaderReason::kHasLeader) return bar;
  // With it applied, the quorum to be asked may be another one.
  if (log_.has_unapplied_conf_change()) return NoLeaderReason::kConfChangeUnapplied;
  return NoLeaderReason::kHasLeader;
}

void Core::campaign_if_allowed(Campaign kind) {
  if (leading() != nullptr) return;
  if (const NoLeaderReason bar = bar_to_campaign(); bar != NoLeaderReason::kHasLeader) {
    logger_.warn("cannot campaign", {{"raft-id", node_text(id())}, {"reason", reason(bar)}});
    return;
  }
  logger_.info("starts an election", {{"raft-id", node_text(id())}, {"term", term_.value()}});
  campaign(kind);
}

void Core::campaign(Campaign kind) {
  const bool asking = kind == Campaign::kPreVote;
  if (asking) {
    become_pre_candidate();
  } else {
    become_candidate();
  }
  campaign_ = kind;
  for (NodeId voter : all_voters(tracker_.config())) {
    if (voter == id()) {
      // Our own vote counts when it is durable, like any other.
      emit(asking ? MessageType::kPreVoteResp : MessageType::kVoteResp, voter).term =
          asking ? term_ + 1 : term_;
      continue;
    }
    request_vote(voter);
  }
}

void Core::request_vote(NodeId voter) {
  const bool asking = campaign_ == Campaign::kPreVote;
  const EntryId last = log_.last();
  Message& m = emit(asking ? MessageType::kPreVote : MessageType::kVote, voter);
  m.term = asking ? term_ + 1 : term_;
  m.index = last.index;
  m.log_term = last.term;
  if (campaign_ == Campaign::kTransfer) m.context = SharedBytes::copy(kCampaignTransfer);
}

void Core::on_vote_request(const Message& m) {
  const bool asking = m.type == MessageType::kPreVote;
  // No test of membership: a promoted learner may not know of its promotion yet, and the candidate
  // may need its vote to win.
  const bool free =
      vote_ == m.from || (vote_ == kNoNode && leader() == kNoNode) || (asking && m.term > term_);
  // Who lost entries that it acknowledged may not help to elect somebody who never had them.
  const bool granted = free && !log_too_short() && log_.is_up_to_date({m.index, m.log_term});
  Message& answer = emit(asking ? MessageType::kPreVoteResp : MessageType::kVoteResp, m.from);
  answer.reject = !granted;
  // The term of the question: a pre-candidate would ignore our own, lower one.
  if (granted) answer.term = m.term;
  if (granted && !asking) {
    election_elapsed_ = 0;
    stand_in_ = 0;
    vote_ = m.from;
  }
  if (!granted && config_.brisk_elections) note_rival(m);
}

StepResult Core::on_message_as_candidate(Tally& votes, MessageType awaited, Message& m) {
  switch (m.type) {
    case MessageType::kProp:
      return tl::unexpected(Refusal::kNoLeader);
    case MessageType::kApp:
    case MessageType::kHeartbeat:
    case MessageType::kSnap:
      // Of our own term: somebody else has won.
      become_follower(m.term, m.from);
      follow(m);
      return {};
    default:
      if (m.type == awaited) on_vote(votes, m);
      return {};
  }
}

void Core::on_vote(Tally& votes, const Message& m) {
  votes.record(m.from, !m.reject);
  logger_.info("received a vote", {{"raft-id", node_text(id())},
                                   {"from", node_text(m.from)},
                                   {"granted", !m.reject},
                                   {"term", term_.value()}});
  switch (tracker_.result(votes)) {
    case VoteResult::kPending:
      if (m.reject) note_refusal();
      return;
    case VoteResult::kLost:
      return lose_election();
    case VoteResult::kWon:
      break;
  }
  if (role() == Role::kPreCandidate) return campaign(Campaign::kVote);
  become_leader();
  broadcast_append();
}

}  // namespace truss::raft
