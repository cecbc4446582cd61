#include "faults.h"

#include <thread>

#include "linearizability.h"

namespace truss::cluster {
namespace {

constexpr std::size_t kKeys = 6;
constexpr auto kPoll = std::chrono::milliseconds(5);

/// Faults after which the others must elect a leader.
bool ends_leadership(Fault fault) {
  return fault == Fault::kKillLeader || fault == Fault::kKillAll || fault == Fault::kPauseLeader ||
         fault == Fault::kLeaderMute || fault == Fault::kLeaderDeaf ||
         fault == Fault::kLeaderHung || fault == Fault::kHalfClosed;
}

std::string text(Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) +
         " ms";
}

}  // namespace

std::string_view name_of(Fault fault) {
  static constexpr std::array<std::string_view, kFaults> kNames = {
      "kill leader",    "kill follower", "kill all",    "pause leader",
      "pause follower", "leader mute",   "leader deaf", "leader hung",
      "half-closed",    "follower mute", "one link"};
  return kNames[static_cast<std::size_t>(fault)];
}

FaultRound::FaultRound(Clock& clock, Members& members, Load& load, RoundOptions options,
                       Random& random)
    : clock_(clock), members_(members), load_(load), options_(options), random_(random) {}

void FaultRound::complain(const std::string& what) {
  if (result_.wrong.empty()) result_.wrong = what;
}

RoundResult FaultRound::run(Fault fault, std::uint64_t number) {
  result_ = {};
  std::vector<std::size_t> all(members_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto leader = members_.agreed_leader(all, options_.recovery);
  if (!leader) {
    complain("no leader before the fault");
    return std::move(result_);
  }
  leader_ = *leader;
  others_.clear();
  for (const std::size_t i : all) {
    if (i != leader_.index) others_.push_back(i);
  }
  victim_ = others_[random_.below(others_.size())];

  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kKeys; ++i) {
    keys.push_back("round/" + std::to_string(number) + "/" + std::to_string(i));
  }
  load_.start(std::move(keys));
  std::this_thread::sleep_for(options_.before);
  inject(fault);
  if (ends_leadership(fault)) {
    watch_election(fault);
  } else {
    std::this_thread::sleep_for(2 * options_.election_timeout);
  }
  std::this_thread::sleep_for(
      Duration(random_.below(static_cast<std::uint64_t>(options_.election_timeout.count()))));
  end_fault(fault);
  finish();
  return std::move(result_);
}

void FaultRound::cut_leader(bool sends, bool hears, Cut cut) {
  for (const std::size_t other : others_) {
    if (sends) members_.links().cut(leader_.index, other, cut);
    if (hears) members_.links().cut(other, leader_.index, cut);
  }
}

void FaultRound::inject(Fault fault) {
  since_ = clock_.now();
  switch (fault) {
    case Fault::kKillLeader:
      return members_.kill9(leader_.index);
    case Fault::kKillFollower:
      return members_.kill9(victim_);
    case Fault::kKillAll:
      for (std::size_t i = 0; i < members_.size(); ++i) members_.kill9(i);
      return members_.start_all();
    case Fault::kPauseLeader:
      return members_.pause(leader_.index);
    case Fault::kPauseFollower:
      return members_.pause(victim_);
    case Fault::kLeaderMute:
      return cut_leader(true, false, Cut::kSwallow);
    case Fault::kLeaderDeaf:
      return cut_leader(false, true, Cut::kSwallow);
    case Fault::kLeaderHung:
      return cut_leader(true, true, Cut::kHold);
    case Fault::kHalfClosed:
      return cut_leader(true, false, Cut::kHalfClose);
    case Fault::kFollowerMute:
      members_.links().cut(victim_, others_[0] == victim_ ? others_[1] : others_[0], Cut::kSwallow);
      return members_.links().cut(victim_, leader_.index, Cut::kSwallow);
    case Fault::kOneLink:
      return members_.links().cut(leader_.index, victim_, Cut::kSwallow);
  }
}

/// How long a quorum may be without a leader.
Duration FaultRound::longest_election(Fault fault) const {
  int timeouts = 3;
  if (options_.etcds_elections) {
    const bool leader_must_notice = fault == Fault::kLeaderDeaf;
    timeouts += (leader_must_notice ? 2 : 0) + 2 * static_cast<int>(result_.elections_lost);
  }
  return timeouts * options_.election_timeout;
}

void FaultRound::watch_election(Fault fault) {
  const bool all_died = fault == Fault::kKillAll;
  std::vector<std::size_t> candidates = others_;
  if (all_died) candidates.push_back(leader_.index);
  std::size_t answering = 0;
  while (all_died && answering < members_.size() / 2 + 1) {
    answering = 0;
    for (const std::size_t i : candidates) answering += members_.listens(i);
    since_ = clock_.now();
    std::this_thread::sleep_for(kPoll);
  }
  for (const MonoTime deadline = since_ + options_.recovery; clock_.now() < deadline;
       std::this_thread::sleep_for(kPoll)) {
    for (const std::size_t i : candidates) {
      const auto status = members_.leads(i);
      if (!status || status->header.raft_term <= leader_.term) continue;
      result_.election = clock_.now() - since_;
      result_.elections_lost = status->header.raft_term - leader_.term - 1;
      const Duration most = longest_election(fault);
      if (*result_.election > most) {
        complain("a leader only after " + text(*result_.election) + " and " +
                 std::to_string(result_.elections_lost) + " lost elections, allowed " + text(most));
      }
      return;
    }
  }
  complain("no new leader after " + text(options_.recovery));
}

void FaultRound::end_fault(Fault fault) {
  if (fault == Fault::kKillLeader) members_.start(leader_.index);
  if (fault == Fault::kKillFollower) members_.start(victim_);
  if (fault == Fault::kPauseFollower) members_.resume(victim_);
  if (fault == Fault::kPauseLeader) {
    // These reads wait in the old leader's socket; the writes of the new one are older than they.
    load_.read_all(leader_.index);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    members_.resume(leader_.index);
    load_.read_all(leader_.index);
  }
  members_.links().heal();
}

void FaultRound::finish() {
  if (!members_.all_serve(options_.recovery)) complain("not all serve after the fault");
  std::this_thread::sleep_for(options_.after);
  load_.stop();
  for (std::size_t i = 0; i < members_.size(); ++i) load_.read_all(i);
  load_.stop();
  result_.history = load_.take();
  result_.operations = result_.history.size();
  const Verdict verdict = check_linearizable(result_.history);
  result_.unknown = verdict.unknown;
  if (!verdict.linearizable) complain(verdict.complaint);
  compare_hashes();
}

void FaultRound::compare_hashes() {
  const auto newest = members_.client(0).get("startup-probe");
  const auto status = members_.client(0).status();
  if (!newest || !status) return complain("no answer to compare hashes with");
  std::optional<std::uint32_t> hash;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    // a linearizable read first: then this member has applied that revision
    const auto applied = members_.client(i).get("startup-probe");
    const auto found = members_.client(i).hash_kv(status->header.revision);
    if (!applied || !found)
      return complain("HashKV: " +
                      (found ? std::string("no read before it") : found.error().message));
    if (hash && *hash != found->hash) return complain("the members' hashes differ");
    hash = found->hash;
  }
}

}  // namespace truss::cluster
