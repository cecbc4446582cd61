#include "tracker.h"

#include <algorithm>

namespace truss::raft {

void Tally::record(NodeId voter, bool granted) {
  if (find(voter) == nullptr) answers_.emplace_back(voter, granted);
}

const bool* Tally::find(NodeId voter) const {
  for (const auto& [id, granted] : answers_) {
    if (id == voter) return &granted;
  }
  return nullptr;
}

void Tracker::switch_to(Membership next) {
  now_ = std::move(next);
  incoming_ = locate(now_.config.voters);
  outgoing_ = locate(now_.config.voters_outgoing);
}

Tracker::Half Tracker::locate(const std::vector<NodeId>& voters) const {
  Half out;
  for (NodeId id : voters) {
    out.push_back(static_cast<std::uint32_t>(now_.find(id) - now_.peers.data()));
  }
  return out;
}

template <class Get>
std::uint64_t Tracker::half_position(const Half& half, Get get) const {
  constexpr std::size_t kUsual = 16;
  if (half.size() <= kUsual) {
    std::array<std::uint64_t, kUsual> acked;
    for (std::size_t i = 0; i < half.size(); ++i) acked[i] = get(now_.peers[half[i]]);
    return majority_position(std::span(acked.data(), half.size()));
  }
  std::vector<std::uint64_t> acked;
  for (std::uint32_t at : half) acked.push_back(get(now_.peers[at]));
  return majority_position(acked);
}

template <class Get>
std::uint64_t Tracker::joint_position(Get get) const {
  const std::uint64_t incoming = half_position(incoming_, get);
  return outgoing_.empty() ? incoming : std::min(incoming, half_position(outgoing_, get));
}

template <class Answer>
VoteResult Tracker::half_vote(const Half& half, Answer answer) const {
  std::size_t yes = 0;
  std::size_t no = 0;
  for (std::uint32_t at : half) {
    const bool* granted = answer(now_.peers[at]);
    if (granted != nullptr) ++(*granted ? yes : no);
  }
  return majority_vote(half.size(), yes, no);
}

bool Tracker::is_voter(NodeId id) const {
  const auto holds = [id](const std::vector<NodeId>& ids) {
    return std::binary_search(ids.begin(), ids.end(), id);
  };
  return holds(now_.config.voters) || holds(now_.config.voters_outgoing);
}

Index Tracker::committed() const {
  return Index{joint_position([](const Progress& p) { return p.match.value(); })};
}

std::uint64_t Tracker::read_confirmed() const {
  return joint_position([](const Progress& p) { return p.read_ack; });
}

bool Tracker::quorum_active() const {
  const auto active = [](const Progress& p) { return &p.recent_active; };
  return joint_vote(half_vote(incoming_, active), half_vote(outgoing_, active)) == VoteResult::kWon;
}

bool Tracker::quorum_heard_within(std::uint64_t ticks) const {
  static constexpr bool kAnswers[] = {false, true};
  const auto heard = [ticks](const Progress& p) { return &kAnswers[p.silent_ticks < ticks]; };
  return joint_vote(half_vote(incoming_, heard), half_vote(outgoing_, heard)) == VoteResult::kWon;
}

void Tracker::mark_inactive(NodeId self) {
  for (Progress& peer : now_.peers) {
    if (peer.id != self) peer.recent_active = false;
  }
}

VoteResult Tracker::result(const Tally& tally) const {
  const auto answer = [&tally](const Progress& p) { return tally.find(p.id); };
  return joint_vote(half_vote(incoming_, answer), half_vote(outgoing_, answer));
}

}  // namespace truss::raft
