#include "cluster.h"

#include <algorithm>

#include "truss/common/check.h"
#include "truss/raft/codec.h"

namespace truss::raft {

void Member::start(Index from) {
  config.applied = from;
  if (from != Index{}) storage.set_conf_state(conf_state);  // saved with what was applied
  append_work.clear();
  apply_work.clear();
  auto created = RawNode::create(config, storage, random, log);
  TRUSS_CHECK(created.has_value(), created ? "" : created.error().message);
  raft = *std::move(created);
  conf_state = raft->conf_state();
}

std::string Member::applied_text() const {
  std::string out;
  for (const Entry& e : applied) {
    if (e.type != EntryType::kNormal || e.data.empty()) continue;
    out += (out.empty() ? "" : " ") + std::string(e.data.view());
  }
  return out;
}

PeerStatus Member::peer(std::uint64_t id) const {
  for (const PeerStatus& peer : raft->status().peers) {
    if (peer.progress.id == NodeId{id}) return peer;
  }
  TRUSS_CHECK(false, "no such peer");
}

Config Cluster::test_config() {
  Config config;
  config.election_tick = 10;
  config.check_invariants = true;
  return config;
}

Cluster::Cluster(std::size_t count, Config config) {
  std::vector<Peer> peers;
  for (std::uint64_t id = 1; id <= count; ++id) peers.push_back({NodeId{id}, {}});
  for (std::uint64_t id = 1; id <= count; ++id) {
    const Result<> founded = add(id, config).raft->bootstrap(peers);
    TRUSS_CHECK(founded.has_value());
  }
  settle();
  sent.clear();
}

Member& Cluster::add(std::uint64_t id, Config config) {
  config.id = NodeId{id};
  auto& member = members_[config.id];
  member = std::make_unique<Member>(config, id);
  member->start();
  return *member;
}

void Cluster::settle() {
  while (work_once()) {
  }
}

bool Cluster::work_once() {
  bool worked = false;
  for (auto& [id, member] : members_) {
    while (member->raft->has_ready()) {
      handle_ready(*member);
      worked = true;
    }
    while (run_append(*member) || run_apply(*member)) worked = true;
  }
  worked = worked || !queue.empty();
  deliver();
  return worked;
}

void Cluster::handle_ready(Member& member) {
  Ready& ready = member.raft->ready();
  for (ReadState& read : ready.read_states) member.reads.push_back(read);
  const bool async = member.config.async_storage_writes;
  if (!async) {
    store(member, ready.hard_state.value_or(HardState{}), ready.entries, ready.snapshot);
    apply(member, ready.committed_entries);
  }
  for (Message& m : ready.messages) {
    if (m.to == kLocalAppendThread) {
      member.append_work.push_back(std::move(m));
    } else if (m.to == kLocalApplyThread) {
      member.apply_work.push_back(std::move(m));
    } else {
      send(std::move(m));
    }
  }
  if (!async) member.raft->advance();
}

void Cluster::store(Member& member, const HardState& state, const std::vector<Entry>& entries,
                    const Snapshot& snapshot) {
  if (!state.empty()) member.storage.set_hard_state(state);
  if (!snapshot.empty()) {
    TRUSS_CHECK(member.storage.apply_snapshot(snapshot).has_value());
    member.conf_state = snapshot.metadata.conf_state;
  }
  member.storage.append(entries);
}

void Cluster::apply(Member& member, const std::vector<Entry>& entries) {
  for (const Entry& e : entries) {
    member.applied.push_back(e);
    if (e.type == EntryType::kNormal) continue;
    const Result<ConfState> applied =
        e.type == EntryType::kConfChange
            ? member.raft->apply_conf_change(*decode_conf_change(e.data.view()))
            : member.raft->apply_conf_change(*decode_conf_change_v2(e.data.view()));
    TRUSS_CHECK(applied.has_value(), applied ? "" : applied.error().message);
    member.conf_state = *applied;
  }
}

bool Cluster::run_append(Member& member) {
  if (member.append_work.empty()) return false;
  Message m = std::move(member.append_work.front());
  member.append_work.pop_front();
  store(member, {m.term, m.vote, m.commit}, m.entries, m.snapshot);
  for (Message& response : m.responses) send(std::move(response));
  return true;
}

bool Cluster::run_apply(Member& member) {
  if (member.apply_work.empty()) return false;
  Message m = std::move(member.apply_work.front());
  member.apply_work.pop_front();
  apply(member, m.entries);
  for (Message& response : m.responses) send(std::move(response));
  return true;
}

void Cluster::send(Message m) {
  sent.push_back(m);
  queue.push_back(std::move(m));
}

void Cluster::deliver() {
  for (Message& m : std::exchange(queue, {})) {
    const auto target = members_.find(m.to);
    if (target == members_.end() || (m.from != m.to && drop && drop(m))) continue;
    (void)target->second->raft->step(std::move(m));
  }
}

void Cluster::campaign(std::uint64_t id) {
  (*this)[id].raft->campaign();
  settle();
}

void Cluster::propose(std::uint64_t id, const std::string& word) {
  const StepResult taken = (*this)[id].raft->propose(bytes(word));
  TRUSS_CHECK(taken.has_value(), taken ? "" : reason(taken.error()));
  settle();
}

void Cluster::tick(std::uint64_t id, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    (*this)[id].raft->tick();
    settle();
  }
}

std::uint64_t Cluster::leader() {
  std::uint64_t found = 0;
  Term newest;
  for (auto& [id, member] : members_) {
    if (member->role() != Role::kLeader || member->term() < newest) continue;
    found = id.value();
    newest = member->term();
  }
  return found;
}

void Cluster::isolate(std::uint64_t id) {
  drop = [id](const Message& m) { return m.from == NodeId{id} || m.to == NodeId{id}; };
}

StepResult step(Member& member, Message m) { return member.raft->step(std::move(m)); }

Message message(MessageType type, std::uint64_t from, std::uint64_t to, std::uint64_t term) {
  Message m;
  m.type = type;
  m.from = NodeId{from};
  m.to = NodeId{to};
  m.term = Term{term};
  return m;
}

Entry entry(std::uint64_t term, std::uint64_t index, const std::string& data) {
  return {Term{term}, Index{index}, EntryType::kNormal, bytes(data)};
}

SharedBytes bytes(const std::string& text) { return SharedBytes::copy(text); }

}  // namespace truss::raft
