#include <algorithm>
#include <tuple>

#include "core.h"

/// Config::brisk_elections: what a node does beyond etcd's rules so that a healthy quorum is not
/// without a leader for long. All of it is safe by raft's own rules, as anybody may stand for
/// election, ask again, or step down, at any time; it only picks better moments.
///
/// - Requests for votes that stay unanswered are sent again: they may have been lost, or ignored by
///   a voter whose lease ran out a tick later than ours.
/// - Of two candidates in one term the one with the better claim stands again at once, the other
///   waits for it. etcd lets both wait for one to two time-outs.
/// - Who refuses a candidate whose log is behind stands itself. In etcd the candidate has just set
///   back everybody's timer, and may well be the first to stand again.
/// - A leader that hears nobody steps down one time-out after the last answers of a quorum, not at
///   the end of the second period, and asks a follower to take over in case that it can be heard.
namespace truss::raft {

namespace {

constexpr std::uint64_t kSoonTicks = 2;      // 1 to 2 intervals: a vote's round trip and its syncs
constexpr std::uint64_t kMostStoodSoon = 4;  // in a row: if that elects nobody, let others try

}  // namespace

/// Stands, and its own vote is not durable yet: whatever else it asks for would only queue up
/// behind.
bool Core::awaits_own_vote() const {
  const Tally* answers = votes();
  return answers != nullptr && answers->find(id()) == nullptr;
}

/// Whether it is the moment to stand again.
bool Core::tick_to_stand() { return stand_in_ > 0 && !awaits_own_vote() && --stand_in_ == 0; }

void Core::repeat_requests() {
  const Tally* answers = votes();
  const std::uint64_t interval = std::max<std::uint64_t>(kSoonTicks, config_.election_tick / 4);
  if (!config_.brisk_elections || answers == nullptr || awaits_own_vote()) return;
  if (election_elapsed_ % interval != 0) return;
  for (NodeId voter : all_voters(tracker_.config())) {
    if (voter != id() && answers->find(voter) == nullptr) request_vote(voter);
  }
}

/// A request for a vote was refused.
void Core::note_rival(const Message& m) {
  if (lease_shields() || log_too_short()) return;
  const EntryId last = log_.last();
  const bool same_term = m.type == MessageType::kVote && m.term == term_;
  if (role() == Role::kCandidate && same_term) {
    const auto ours = std::tuple(last.term, last.index, id());
    if (ours > std::tuple(m.log_term, m.index, m.from)) return stand_soon(0);
    stand_in_ = config_.election_tick / 2 + random_.below(config_.election_tick / 4 + 1);
    return;
  }
  const bool behind = std::tuple(m.log_term, m.index) < std::tuple(last.term, last.index);
  const bool voted = same_term && vote_ != kNoNode;
  if (role() == Role::kFollower && behind && !voted) stand_soon(config_.election_tick / 8 + 1);
}

/// Our request for a vote was refused. Unless by a rival, by somebody with more of the log perhaps,
/// whose timer we have just set back: leaves it the time to stand.
void Core::note_refusal() {
  if (!config_.brisk_elections || role() == Role::kPreCandidate || stand_in_ > 0) return;
  randomized_timeout_ = std::max(randomized_timeout_, 2 * config_.election_tick);
}

/// A quorum refused.
void Core::lose_election() {
  const std::uint64_t stand_in = stand_in_;
  const bool stood = role() == Role::kCandidate;
  become_follower(term_, kNoNode);
  stand_in_ = stand_in;
  if (stood) note_refusal();
}

/// In a moment that is `spread` ticks long, unless it waits for a better one already.
void Core::stand_soon(std::uint64_t spread) {
  if (stand_in_ > 0 || stood_soon_ == kMostStoodSoon) return;
  ++stood_soon_;
  stand_in_ = kSoonTicks + (spread > 0 ? random_.below(spread) : 0);
}

/// One tick of a leader.
void Core::check_silence() {
  for (Progress& peer : tracker_.peers()) peer.silent_ticks += peer.id != id() ? 1 : 0;
  if (tracker_.quorum_heard_within(config_.election_tick)) return;
  if (const NodeId next = heir(); next != kNoNode) send_timeout_now(next);
  lose_quorum();
}

/// The voter with most of the log among those that fell silent last.
NodeId Core::heir() const {
  const Progress* best = nullptr;
  for (const Progress& peer : tracker_.peers()) {
    if (peer.id == id() || peer.learner) continue;
    const auto claim = [](const Progress& p) {
      return std::tuple(-static_cast<std::int64_t>(p.silent_ticks / kSoonTicks), p.match);
    };
    if (best == nullptr || claim(peer) > claim(*best)) best = &peer;
  }
  return best != nullptr ? best->id : kNoNode;
}

}  // namespace truss::raft
