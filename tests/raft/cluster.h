#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/raw_node.h"

namespace truss::raft {

/// One raft node with its storage and a state machine that keeps the payloads it applied.
struct Member {
  Member(Config c, std::uint64_t seed) : config(c), random(seed) {}

  /// (Re)starts raft on what storage holds, with everything up to `applied` applied before. What
  /// was only in memory is gone.
  void start(Index applied = {});
  /// The payloads applied so far, one word each: "a b c".
  std::string applied_text() const;
  Role role() const { return raft->basic_status().soft_state.role; }
  NodeId leader() const { return raft->basic_status().soft_state.leader; }
  Term term() const { return raft->basic_status().hard_state.term; }
  Index commit() const { return raft->basic_status().hard_state.commit; }
  Index last() const { return raft->basic_status().last_index; }
  PeerStatus peer(std::uint64_t id) const;

  Config config;
  SeededRandom random;
  NullLogger log;
  MemoryStorage storage;
  std::unique_ptr<RawNode> raft;
  std::vector<Entry> applied;
  std::vector<ReadState> reads;
  ConfState conf_state;
  std::deque<Message> append_work;  // async mode
  std::deque<Message> apply_work;
};

/// Members numbered from 1, whose messages travel in order and at once, unless dropped.
class Cluster {
 public:
  /// `count` members that were founded together, all founding entries applied.
  explicit Cluster(std::size_t count, Config config = test_config());

  static Config test_config();
  Member& operator[](std::uint64_t id) { return *members_.at(NodeId{id}); }
  /// A member with an empty storage and no configuration.
  Member& add(std::uint64_t id, Config config = test_config());

  /// Works until nobody has anything to do.
  void settle();
  /// One Ready of one member, messages queued.
  void handle_ready(Member& member);
  /// Delivers what is queued now, and nothing that follows from it.
  void deliver();
  void campaign(std::uint64_t id);
  void propose(std::uint64_t id, const std::string& word);
  void tick(std::uint64_t id, std::size_t times = 1);
  /// The only leader of the highest term; 0 if none.
  std::uint64_t leader();

  /// Whether a message is lost.
  std::function<bool(const Message&)> drop;
  void isolate(std::uint64_t id);
  void heal() { drop = nullptr; }

  std::vector<Message> queue;
  std::vector<Message> sent;  ///< everything that was queued since the last clear

 private:
  bool work_once();
  void store(Member& member, const HardState& state, const std::vector<Entry>& entries,
             const Snapshot& snapshot);
  void apply(Member& member, const std::vector<Entry>& entries);
  void send(Message message);
  bool run_append(Member& member);
  bool run_apply(Member& member);

  std::map<NodeId, std::unique_ptr<Member>> members_;
};

/// Steps a copy of `m`.
StepResult step(Member& member, Message m);
Message message(MessageType type, std::uint64_t from, std::uint64_t to, std::uint64_t term);
Entry entry(std::uint64_t term, std::uint64_t index, const std::string& data = "");
SharedBytes bytes(const std::string& text);

}  // namespace truss::raft
