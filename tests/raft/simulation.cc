#include "simulation.h"

#include <algorithm>

#include "truss/common/check.h"
#include "truss/raft/codec.h"
#include "truss/raft/membership.h"
#include "truss/raft/text.h"

namespace truss::raft {

namespace {

constexpr std::uint64_t kFounders = 3;
constexpr std::size_t kMostInFlight = 40;

std::uint64_t mix(std::uint64_t hash, const Entry& e) {
  hash = (hash ^ e.term.value()) * 0x100000001b3;
  hash = (hash ^ static_cast<std::uint64_t>(e.type)) * 0x100000001b3;
  for (unsigned char byte : e.data.view()) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::uint64_t hash_of(const Snapshot& snapshot) {
  return snapshot.data.empty() ? 0 : std::stoull(std::string(snapshot.data.view()));
}

std::string to_text_line(const Status& status, Index applied) {
  std::string out = node_text(status.id) + ": ";
  out += to_text(status.soft_state.role);
  out += " " + to_text(status.hard_state) + " last=" + std::to_string(status.last_index.value()) +
         " applied=" + std::to_string(applied.value()) + " " + config_text(status.config) + "\n";
  for (const PeerStatus& peer : status.peers) {
    out += "   " + node_text(peer.progress.id) + ": " + to_text(peer.progress) + "\n";
  }
  return out;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, std::uint64_t members, Config config, Faults faults)
    : random_(seed), member_count_(members), config_(config), faults_(faults) {
  config_.check_invariants = true;
  for (std::uint64_t id = 1; id <= kFounders; ++id) founders_.push_back({NodeId{id}, {}});
  for (std::uint64_t id = 1; id <= member_count_; ++id) {
    auto member = std::make_unique<Member>();
    member->config = config_;
    member->config.id = NodeId{id};
    start(*member);
    members_[NodeId{id}] = std::move(member);
  }
}

void Simulation::start(Member& member) {
  const Snapshot newest = *member.storage.snapshot();
  member.append_work.clear();
  member.apply_work.clear();
  member.state = {newest.metadata.index, hash_of(newest)};
  member.config.applied = newest.metadata.index;
  auto created = RawNode::create(member.config, member.storage, random_, log_);
  TRUSS_CHECK(created.has_value(), created ? "" : created.error().message);
  member.raft = *std::move(created);
  const bool founder = member.config.id <= NodeId{kFounders};
  if (founder && member.storage.hard_state().empty()) {  // nothing was stored yet
    TRUSS_CHECK(member.raft->bootstrap(founders_).has_value());
  }
  member.conf_state = member.raft->conf_state();
}

void Simulation::crash(Member& member) {
  ++crashes_;
  start(member);
}

Simulation::Member& Simulation::any_member() {
  return *members_[NodeId{1 + random_.below(member_count_)}];
}

void Simulation::run(std::size_t events) {
  for (std::size_t i = 0; i < events; ++i) event();
}

void Simulation::event() {
  disturb();
  for (int i = 0; i < 2; ++i) {
    Member& member = any_member();
    work(member);
    check(member);
    deliver_one();
    deliver_one();
  }
  Member& member = any_member();
  if (chance(60)) member.raft->tick();
  if (chance(80)) ask(member);
  check(member);
}

void Simulation::disturb() {
  if (chance(faults_.crash)) crash(any_member());
  if (chance(faults_.partition)) partition();
  if (chance(faults_.snapshot)) take_snapshot(any_member());
  if (chance(faults_.membership)) change_membership();
  if (chance(faults_.campaign)) any_member().raft->campaign();
  if (chance(faults_.transfer))
    any_member().raft->transfer_leader(NodeId{1 + random_.below(member_count_)});
}

void Simulation::ask(Member& member) {
  const std::string word = "w" + std::to_string(++words_);
  if (random_.below(2) == 0) {
    (void)member.raft->propose(SharedBytes::copy(word));
    return;
  }
  asked_[word] = chosen_.empty() ? Index{} : chosen_.rbegin()->first;
  member.raft->read_index(SharedBytes::copy(word));
}

void Simulation::change_membership() {
  Member& member = any_member();
  ConfChangeV2 change;
  const std::uint64_t steps = random_.below(3);  // none: leave a joint configuration
  for (std::uint64_t i = 0; i < steps; ++i) {
    constexpr ConfChangeType kTypes[] = {ConfChangeType::kAddNode, ConfChangeType::kAddNode,
                                         ConfChangeType::kAddLearnerNode,
                                         ConfChangeType::kRemoveNode};
    change.changes.push_back({kTypes[random_.below(4)], NodeId{1 + random_.below(member_count_)}});
  }
  if (steps > 0) change.transition = static_cast<ConfChangeTransition>(random_.below(3));
  (void)member.raft->propose_conf_change(change);
}

void Simulation::partition() {
  const bool whole = random_.below(2) == 0;
  for (auto& [id, member] : members_) side_[id] = whole ? 0 : static_cast<int>(random_.below(2));
}

void Simulation::work(Member& member) {
  if (member.config.async_storage_writes) return work_async(member);
  if (member.raft->has_ready()) work_sync(member);
}

void Simulation::work_sync(Member& member) {
  Ready& ready = member.raft->ready();
  check_reads(ready.read_states);
  for (std::size_t i = 0; i < ready.send_at_once; ++i) send(std::move(ready.messages[i]));
  if (chance(faults_.crash)) return crash(member);  // before anything was stored
  store(member, ready.hard_state.value_or(HardState{}), ready.entries, ready.snapshot);
  if (chance(faults_.crash)) return crash(member);  // stored, nothing acknowledged
  for (std::size_t i = ready.send_at_once; i < ready.messages.size(); ++i) {
    send(std::move(ready.messages[i]));
  }
  apply(member, ready.committed_entries);
  member.raft->advance();
}

void Simulation::work_async(Member& member) {
  switch (random_.below(3)) {
    case 0:
      break;
    case 1:
      return run_append(member);
    default:
      return run_apply(member);
  }
  if (!member.raft->has_ready()) return;
  Ready& ready = member.raft->ready();
  check_reads(ready.read_states);
  std::vector<Message> votes;  // wait for all appends so far
  for (Message& m : ready.messages) {
    if (m.type == MessageType::kVote) {
      votes.push_back(std::move(m));
    } else if (m.to == kLocalAppendThread) {
      member.append_work.push_back(std::move(m));
    } else if (m.to == kLocalApplyThread) {
      member.apply_work.push_back(std::move(m));
    } else {
      send(std::move(m));
    }
  }
  if (!votes.empty()) member.append_work.emplace_back().responses = std::move(votes);
}

void Simulation::store(Member& member, const HardState& state, const std::vector<Entry>& entries,
                       const Snapshot& snapshot) {
  if (!state.empty()) {
    TRUSS_CHECK(state.term >= member.storage.hard_state().term, "a term went back");
    member.storage.set_hard_state(state);
  }
  if (!snapshot.empty()) {
    TRUSS_CHECK(member.storage.apply_snapshot(snapshot).has_value());
    record(snapshot.metadata.index, hash_of(snapshot), true);
    member.state = {snapshot.metadata.index, hash_of(snapshot)};
    member.conf_state = snapshot.metadata.conf_state;
  }
  member.storage.append(entries);
}

void Simulation::apply(Member& member, const std::vector<Entry>& entries) {
  for (const Entry& e : entries) {
    if (e.index <= member.state.index) continue;  // async mode: a snapshot overtook it
    TRUSS_CHECK(e.index == member.state.index + 1, "applied out of order");
    member.state = {e.index, mix(member.state.hash, e)};
    record(e.index, member.state.hash, false);
    if (e.type == EntryType::kNormal) continue;
    ++configurations_;
    const Result<ConfState> applied =
        e.type == EntryType::kConfChange
            ? member.raft->apply_conf_change(*decode_conf_change(e.data.view()))
            : member.raft->apply_conf_change(*decode_conf_change_v2(e.data.view()));
    // A change that can't be made is refused alike on all members.
    if (applied) member.conf_state = *applied;
  }
}

void Simulation::run_append(Member& member) {
  if (member.append_work.empty()) return;
  Message m = std::move(member.append_work.front());
  member.append_work.pop_front();
  store(member, {m.term, m.vote, m.commit}, m.entries, m.snapshot);
  for (Message& response : m.responses) send(std::move(response));
}

void Simulation::run_apply(Member& member) {
  if (member.apply_work.empty()) return;
  Message m = std::move(member.apply_work.front());
  member.apply_work.pop_front();
  apply(member, m.entries);
  for (Message& response : m.responses) {
    (void)member.raft->step(std::move(response));
  }
}

void Simulation::take_snapshot(Member& member) {
  const Index index = member.state.index;
  // Only what a restart would find committed may be kept instead of the log.
  if (index > member.storage.hard_state().commit || index > member.storage.last_index()) return;
  if (!member.storage.create_snapshot(index, member.conf_state,
                                      SharedBytes::copy(std::to_string(member.state.hash)))) {
    return;
  }
  const std::uint64_t keep = random_.below(5);
  if (index.value() > keep) (void)member.storage.compact(index - keep);
}

void Simulation::send(Message m) {
  if (m.to == m.from || is_storage_thread(m.from)) {
    (void)members_[m.to]->raft->step(std::move(m));
    return;
  }
  if (m.type == MessageType::kSnap) refresh(m);
  if (chance(faults_.duplicate)) network_.push_back(m);
  network_.push_back(std::move(m));
  // Old messages matter less than new ones; a backlog would hide the present.
  if (network_.size() > kMostInFlight) drop(random_.below(kMostInFlight / 2));
}

void Simulation::drop(std::size_t at) {
  const Message m = std::move(network_[at]);
  network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(at));
  if (m.type == MessageType::kSnap) members_[m.from]->raft->report_snapshot(m.to, false);
}

/// Like etcd's server, sends what was applied by now, not what raft asked for: the receiver may
/// have joined since that snapshot.
void Simulation::refresh(Message& m) {
  const Member& from = *members_[m.from];
  const StorageResult<Term> term = from.storage.term(from.state.index);
  if (!term || from.state.index <= m.snapshot.metadata.index) return;
  m.snapshot = {SharedBytes::copy(std::to_string(from.state.hash)),
                {from.conf_state, from.state.index, *term}};
}

void Simulation::deliver_one() {
  if (network_.empty()) return;
  const std::size_t at = random_.below(std::min<std::size_t>(network_.size(), 8));
  Message m = std::move(network_[at]);
  network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(at));
  const bool lost = side_[m.from] != side_[m.to] || chance(faults_.drop);
  const bool snapshot = m.type == MessageType::kSnap;
  const NodeId from = m.from;
  Member& to = *members_[m.to];
  if (!lost) (void)to.raft->step(std::move(m));
  check(to);
  if (snapshot) members_[from]->raft->report_snapshot(to.config.id, !lost);
}

void Simulation::check(Member& member) {
  const BasicStatus status = member.raft->basic_status();
  if (status.soft_state.role != Role::kLeader) return;
  const auto [leader, first] = leaders_.try_emplace(status.hard_state.term, status.id);
  TRUSS_CHECK(leader->second == status.id, "two leaders in one term");
}

void Simulation::check_reads(const std::vector<ReadState>& reads) {
  for (const ReadState& read : reads) {
    const auto asked = asked_.find(std::string(read.context.view()));
    TRUSS_CHECK(asked != asked_.end(), "an answer to a read that nobody asked");
    TRUSS_CHECK(read.index >= asked->second,
                "a stale read: at " + std::to_string(read.index.value()) + " instead of " +
                    std::to_string(asked->second.value()) + "\n" + describe());
    ++reads_served_;
  }
}

void Simulation::record(Index index, std::uint64_t hash, bool from_snapshot) {
  if (from_snapshot) ++snapshots_applied_;
  const auto [known, fresh] = chosen_.try_emplace(index, hash);
  TRUSS_CHECK(!fresh || !from_snapshot, "a snapshot of a state that nobody applied");
  TRUSS_CHECK(known->second == hash, "members applied different entries");
}

bool Simulation::all_caught_up() {
  const Index newest = chosen_.empty() ? Index{} : chosen_.rbegin()->first;
  for (auto& [id, leader] : members_) {
    if (leader->raft->basic_status().soft_state.role != Role::kLeader) continue;
    const Status status = leader->raft->status();
    return leader->state.index == newest && status.last_index == newest &&
           std::all_of(status.peers.begin(), status.peers.end(), [&](const PeerStatus& peer) {
             return members_[peer.progress.id]->state.index == newest;
           });
  }
  return false;
}

std::string Simulation::describe() const {
  std::string out;
  for (const auto& [id, member] : members_) {
    const Status status = member->raft->status();
    out += to_text_line(status, member->state.index);
  }
  return out;
}

bool Simulation::leads_as_stranger(const Member& member) const {
  const Status status = member.raft->status();
  const std::vector<NodeId> voters = all_voters(status.config);
  return status.soft_state.role == Role::kLeader &&
         !std::binary_search(voters.begin(), voters.end(), status.id);
}

bool Simulation::wedged_by_removal() const {
  Index longest_removed;
  Index longest_member;
  for (const auto& [id, member] : members_) {
    const Status status = member->raft->status();
    if (status.soft_state.role == Role::kLeader) return false;
    const std::vector<NodeId> voters = all_voters(status.config);
    const bool voter = std::binary_search(voters.begin(), voters.end(), id);
    Index& longest = voter ? longest_member : longest_removed;
    longest = std::max(longest, status.last_index);
  }
  return longest_removed > longest_member;
}

bool Simulation::wedged_by_term() const {
  if (config_.check_quorum || config_.pre_vote) return false;
  Term of_hopefuls;
  Term highest;
  for (const auto& [id, member] : members_) {
    const BasicStatus status = member->raft->basic_status();
    highest = std::max(highest, status.hard_state.term);
    if (status.soft_state.role == Role::kFollower) continue;
    of_hopefuls = std::max(of_hopefuls, status.hard_state.term);
  }
  return of_hopefuls < highest;
}

bool Simulation::heal(std::size_t ticks) {
  faults_ = Faults{0, 0, 0, 0, 0, 0, 0, 0};
  side_.clear();
  const Index before = chosen_.empty() ? Index{} : chosen_.rbegin()->first;
  for (std::size_t tick = 0; tick < ticks; ++tick) {
    for (auto& [id, member] : members_) {
      if (leads_as_stranger(*member)) crash(*member);  // an operator would stop it
      member->raft->tick();
    }
    for (int i = 0; i < 200; ++i) {
      for (auto& [id, member] : members_) {
        work(*member);
        check(*member);
      }
      for (int j = 0; j < 10; ++j) deliver_one();
    }
    if (tick % 10 == 9) (void)any_member().raft->propose(SharedBytes::copy("heal"));
    if (tick % 10 == 8 && all_caught_up() && chosen_.rbegin()->first > before) return true;
  }
  return false;
}

}  // namespace truss::raft
