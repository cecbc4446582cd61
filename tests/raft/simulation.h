#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/raw_node.h"

namespace truss::raft {

/// What the simulator may do to its members, in chances of 1000 per event.
struct Faults {
  std::uint64_t drop = 50;
  std::uint64_t duplicate = 20;
  std::uint64_t crash = 4;
  std::uint64_t partition = 3;
  std::uint64_t membership = 10;
  std::uint64_t snapshot = 15;
  std::uint64_t transfer = 3;
  std::uint64_t campaign = 6;
};

/// A cluster under a seeded, hostile scheduler: messages are lost, doubled and reordered, members
/// crash and lose what was not durable, are cut off, join, leave and are compacted. After every
/// event it checks raft's safety:
/// - at most one leader a term;
/// - all members apply the same entry at the same index, and snapshots carry the same state;
/// - a read index never lies before what was known as committed when the read was asked for;
/// - an acknowledged term, vote or entry survives crashes (by the two first, over time).
class Simulation {
 public:
  /// The first three of `members` found the cluster.
  Simulation(std::uint64_t seed, std::uint64_t members, Config config, Faults faults);

  void run(std::size_t events);
  /// No more faults: elects, proposes one entry, and waits until all members have it.
  /// Returns whether they did within `ticks` ticks.
  bool heal(std::size_t ticks);
  /// A limit that the protocol has in etcd, too, as changes take effect when applied: those who
  /// applied their own removal may not stand, yet hold entries that keep them from voting for the
  /// remaining members, who do not know of the removal and need their votes.
  bool wedged_by_removal() const;
  /// Another: with neither CheckQuorum nor PreVote nobody tells a leader or a candidate of a higher
  /// term, so whoever could lead may run after those for ever who raised the term and can't:
  /// removed members, learners. etcd always checks quorums.
  bool wedged_by_term() const;
  /// A line a member, for the report of a failure.
  std::string describe() const;
  std::size_t committed() const { return chosen_.size(); }
  std::size_t reads_served() const { return reads_served_; }
  std::size_t leaders_seen() const { return leaders_.size(); }
  std::size_t crashes() const { return crashes_; }
  std::size_t snapshots_applied() const { return snapshots_applied_; }
  std::size_t configurations_seen() const { return configurations_; }

 private:
  /// An index and what the state machine held after it: a chain of hashes of all entries.
  struct State {
    Index index;
    std::uint64_t hash = 0;
  };
  struct Member {
    Config config;
    MemoryStorage storage;  // durable
    std::unique_ptr<RawNode> raft;
    State state;  // lost in a crash
    ConfState conf_state;
    std::deque<Message> append_work;  // lost in a crash
    std::deque<Message> apply_work;
  };

  bool chance(std::uint64_t of_1000) { return random_.below(1000) < of_1000; }
  Member& any_member();
  void start(Member& member);
  void crash(Member& member);
  void event();
  void disturb();
  void ask(Member& member);
  void change_membership();
  void partition();
  void work(Member& member);
  void work_sync(Member& member);
  void work_async(Member& member);
  void store(Member& member, const HardState& state, const std::vector<Entry>& entries,
             const Snapshot& snapshot);
  void apply(Member& member, const std::vector<Entry>& entries);
  void run_append(Member& member);
  void run_apply(Member& member);
  void take_snapshot(Member& member);
  void send(Message message);
  void refresh(Message& m);
  void drop(std::size_t at);
  void deliver_one();
  void check(Member& member);
  void check_reads(const std::vector<ReadState>& reads);
  void record(Index index, std::uint64_t hash, bool from_snapshot);
  bool all_caught_up();
  /// Whether it leads a configuration that it is not a voter of (etcd without step-down).
  bool leads_as_stranger(const Member& member) const;

  SeededRandom random_;
  std::uint64_t member_count_;
  Config config_;
  Faults faults_;
  NullLogger log_;
  std::vector<Peer> founders_;
  std::map<NodeId, std::unique_ptr<Member>> members_;
  std::vector<Message> network_;
  std::map<NodeId, int> side_;  // members of different sides don't hear each other
  std::map<Term, NodeId> leaders_;
  std::map<Index, std::uint64_t> chosen_;  // hash of the state after each applied index
  std::map<std::string, Index> asked_;     // read contexts and the commit known when asked
  std::uint64_t words_ = 0;
  std::size_t reads_served_ = 0;
  std::size_t crashes_ = 0;
  std::size_t snapshots_applied_ = 0;
  std::size_t configurations_ = 0;
};

}  // namespace truss::raft
