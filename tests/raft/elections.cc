#include "elections.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>

#include "truss/common/check.h"
#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/raw_node.h"

namespace truss::raft {
namespace {

using Micros = std::uint64_t;

constexpr Micros kLoadEvery = 5'000;
constexpr Micros kSlowestStart = 150'000;
constexpr Micros kAdvanceCheck = 50'000;
constexpr std::uint64_t kGiveUp = 40;  // time-outs

class World {
 public:
  World(const ElectionSetup& setup, std::uint64_t seed) : setup_(setup), random_(seed) {
    for (std::uint64_t id = 1; id <= setup_.members; ++id) add(NodeId{id});
    for (std::uint64_t id = 1; id <= setup_.members; ++id) start(NodeId{id});
  }

  ElectionResult run(Blow blow) {
    Node& first = *nodes_[NodeId{1 + random_.below(setup_.members)}];
    first.raft->campaign();
    pump(first);
    run_until([this] { return leader_above(Term{}) != kNoNode; });
    load();
    const Micros settled = now_ + timeout() + random_.below(2 * timeout());
    run_until([&] { return now_ >= settled; });
    const NodeId old = leader_above(Term{});
    const Term term = nodes_[old]->raft->basic_status().hard_state.term;
    strike(blow, old);
    run_until([&] { return leader_above(term) != kNoNode; });
    const NodeId next = leader_above(term);
    if (next == kNoNode) return {kGiveUp, 0};
    const Term now_term = nodes_[next]->raft->basic_status().hard_state.term;
    return {static_cast<double>(now_ - healthy_since_) / static_cast<double>(timeout()),
            now_term.value() - term.value() - 1};
  }

 private:
  struct Node {
    Config config;
    MemoryStorage storage;
    std::unique_ptr<RawNode> raft;  // null: dead
    std::uint64_t life = 0;         // what was begun in an earlier one is lost
    std::vector<Message> queued;    // for the disk
    bool syncing = false;
  };
  struct Event {
    Micros at;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };

  Micros timeout() const { return setup_.tick_us * setup_.election_ticks; }
  Micros exponential(Micros mean) {
    const double u = static_cast<double>(random_.below(1'000'000) + 1) / 1e6;
    return static_cast<Micros>(-std::log(u) * static_cast<double>(mean));
  }
  void after(Micros delay, std::function<void()> what) {
    events_.push({now_ + delay, ++order_, std::move(what)});
  }
  void run_until(const std::function<bool()>& done) {
    const Micros end = now_ + kGiveUp * timeout();
    while (!done() && now_ < end) {
      TRUSS_CHECK(!events_.empty());
      Event next = events_.top();
      events_.pop();
      now_ = next.at;
      next.what();
    }
  }
  /// In `node`'s present life only.
  std::function<void()> while_alive(Node& node, std::function<void()> what) {
    return [&node, life = node.life, what = std::move(what)] {
      if (node.raft && node.life == life) what();
    };
  }

  void add(NodeId id) {
    auto node = std::make_unique<Node>();
    node->config.id = id;
    node->config.election_tick = setup_.election_ticks;
    node->config.applied = Index{1};
    node->config.async_storage_writes = true;
    node->config.check_quorum = true;
    node->config.pre_vote = setup_.pre_vote;
    node->config.brisk_elections = id.value() <= setup_.brisk;
    Snapshot founded;
    for (std::uint64_t v = 1; v <= setup_.members; ++v) {
      founded.metadata.conf_state.voters.push_back(NodeId{v});
    }
    founded.metadata.index = Index{1};
    founded.metadata.term = Term{1};
    TRUSS_CHECK(node->storage.apply_snapshot(founded).has_value());
    nodes_[id] = std::move(node);
  }

  void start(NodeId id) {
    Node& node = *nodes_[id];
    auto created = RawNode::create(node.config, node.storage, random_, log_);
    TRUSS_CHECK(created.has_value());
    node.raft = *std::move(created);
    after(random_.below(setup_.tick_us), while_alive(node, [this, &node] { tick(node); }));
  }

  void kill(NodeId id) {
    Node& node = *nodes_[id];
    node.raft.reset();
    ++node.life;
    node.queued.clear();
    node.syncing = false;
  }

  void tick(Node& node) {
    node.raft->tick();
    pump(node);
    const Micros jitter = random_.below(500);
    after(setup_.tick_us - 250 + jitter, while_alive(node, [this, &node] { tick(node); }));
  }

  void load() {
    const NodeId id = leader_above(Term{});
    if (id != kNoNode) {
      (void)nodes_[id]->raft->propose(SharedBytes::copy("x"));
      pump(*nodes_[id]);
    }
    after(exponential(kLoadEvery), [this] { load(); });
  }

  /// As libs/server does with a Ready.
  void pump(Node& node) {
    while (node.raft->has_ready()) {
      Ready& ready = node.raft->ready();
      std::vector<Message> votes;
      for (Message& m : ready.messages) {
        if (m.type == MessageType::kVote) {
          votes.push_back(std::move(m));
        } else if (m.to == kLocalAppendThread) {
          node.queued.push_back(std::move(m));
        } else if (m.to == kLocalApplyThread) {
          after(50, while_alive(node, [this, &node, m = std::move(m)]() mutable {
                  for (Message& response : m.responses) {
                    (void)node.raft->step(std::move(response));
                  }
                  pump(node);
                }));
        } else {
          send(std::move(m));
        }
      }
      if (!votes.empty()) node.queued.emplace_back().responses = std::move(votes);
    }
    write(node);
  }

  void write(Node& node) {
    if (node.syncing || node.queued.empty()) return;
    node.syncing = true;
    auto jobs = std::make_shared<std::vector<Message>>(std::exchange(node.queued, {}));
    after(sync_time(node, *jobs), while_alive(node, [this, &node, jobs] {
            node.syncing = false;
            for (Message& job : *jobs) store(node, job);
            pump(node);
          }));
  }

  Micros sync_time(Node& node, const std::vector<Message>& jobs) {
    HardState last = node.storage.hard_state();
    bool syncs = false;
    for (const Message& m : jobs) {
      syncs |= !m.entries.empty();
      if (m.term == Term{}) continue;
      syncs |= m.term != last.term || m.vote != last.vote;
      last = {m.term, m.vote, m.commit};
    }
    if (!syncs) return 30;
    const Micros usual = setup_.sync_us / 2 + exponential(setup_.sync_us / 2);
    return random_.below(50) == 0 ? 8 * usual : usual;
  }

  void store(Node& node, Message& job) {
    if (!job.entries.empty()) node.storage.adopt(job.entries);
    if (job.term != Term{}) node.storage.set_hard_state({job.term, job.vote, job.commit});
    for (Message& m : job.responses) {
      if (m.to == node.config.id) {
        (void)node.raft->step(std::move(m));
      } else {
        send(std::move(m));
      }
    }
  }

  void send(Message m) {
    if (cut_.contains({m.from, m.to})) return;
    Micros arrives = now_ + 100 + exponential(200) + (random_.below(100) == 0 ? 5'000 : 0);
    Micros& last = links_[{m.from, m.to}];
    last = arrives = std::max(last, arrives);
    Node& to = *nodes_[m.to];
    after(arrives - now_, while_alive(to, [this, &to, m = std::move(m)]() mutable {
            if (cut_.contains({m.from, m.to})) return;
            (void)to.raft->step(std::move(m));
            pump(to);
          }));
  }

  NodeId leader_above(Term term) const {
    NodeId found = kNoNode;
    for (const auto& [id, node] : nodes_) {
      if (!node->raft) continue;
      const BasicStatus status = node->raft->basic_status();
      if (status.soft_state.role != Role::kLeader || status.hard_state.term <= term) continue;
      term = status.hard_state.term;
      found = id;
    }
    return found;
  }

  void strike(Blow blow, NodeId leader) {
    healthy_since_ = now_;
    if (blow == Blow::kKillLeader) return kill(leader);
    if (blow == Blow::kKillAll) return restart_all();
    for (const auto& [id, node] : nodes_) {
      if (blow != Blow::kLeaderDeaf) cut_.insert({leader, id});
      if (blow != Blow::kLeaderMute) cut_.insert({id, leader});
    }
    cut_.erase({leader, leader});
  }

  void restart_all() {
    std::vector<Micros> starts;
    for (auto& [id, node] : nodes_) {
      kill(id);
      starts.push_back(random_.below(kSlowestStart));
      after(starts.back(), [this, id = id] {
        start(id);
        advance(*nodes_[id]);
      });
    }
    std::sort(starts.begin(), starts.end());
    healthy_since_ = now_ + starts[starts.size() / 2];
  }

  /// As libs/server/src/upkeep.cc does.
  void advance(Node& node) {
    std::size_t others = 0;
    for (const auto& [id, other] : nodes_) others += other->raft && other.get() != &node ? 1 : 0;
    const auto leader = [&node] { return node.raft->basic_status().soft_state.leader; };
    if (leader() != kNoNode) return;
    if (others < 2) {
      return after(kAdvanceCheck, while_alive(node, [this, &node] { advance(node); }));
    }
    for (std::uint64_t i = 2; i < setup_.election_ticks && leader() == kNoNode; ++i) {
      node.raft->tick();
    }
    pump(node);
  }

  const ElectionSetup setup_;
  SeededRandom random_;
  NullLogger log_;
  std::map<NodeId, std::unique_ptr<Node>> nodes_;
  std::map<std::pair<NodeId, NodeId>, Micros> links_;  // when the newest message arrives
  std::set<std::pair<NodeId, NodeId>> cut_;
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  Micros now_ = 0;
  Micros healthy_since_ = 0;
};

}  // namespace

std::string_view name_of(Blow blow) {
  static constexpr std::array<std::string_view, kBlows> kNames = {
      "kill leader", "kill all", "leader mute", "leader deaf", "leader cut off"};
  return kNames[static_cast<std::size_t>(blow)];
}

ElectionResult simulate_election(const ElectionSetup& setup, Blow blow, std::uint64_t seed) {
  return World(setup, seed).run(blow);
}

}  // namespace truss::raft
