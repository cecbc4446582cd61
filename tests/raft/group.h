#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/raw_node.h"

/// The raft core at its fastest: for what measures it.
namespace truss::raft {

/// A voter on a memory storage whose log is cut from time to time.
struct Voter {
  Voter(std::uint64_t id, std::uint64_t voters) : random(id) {
    Config config;
    config.id = NodeId{id};
    config.applied = Index{1};
    Snapshot start;
    for (std::uint64_t v = 1; v <= voters; ++v) {
      start.metadata.conf_state.voters.push_back(NodeId{v});
    }
    start.metadata.index = Index{1};
    start.metadata.term = Term{1};
    (void)storage.apply_snapshot(start);
    node = *RawNode::create(config, storage, random, log);
  }

  /// Handles one Ready; messages go to `out`, read in place.
  template <class Send>
  void work(Send&& out) {
    Ready& ready = node->ready();
    if (ready.hard_state) storage.set_hard_state(*ready.hard_state);
    storage.adopt(ready.entries);
    for (Message& m : ready.messages) out(m);
    if (!ready.committed_entries.empty()) applied = ready.committed_entries.back().index;
    node->advance();
    if (applied > storage.first_index() + 20000) (void)storage.compact(applied - 5000);
  }
  void work() {
    work([](Message&) {});
  }

  SeededRandom random;
  NullLogger log;
  MemoryStorage storage;
  std::unique_ptr<RawNode> node;
  Index applied;
};

/// Voters that hand each other's messages over without copying.
struct Group {
  explicit Group(std::uint64_t count) {
    for (std::uint64_t id = 1; id <= count; ++id)
      voters.push_back(std::make_unique<Voter>(id, count));
    voters[0]->node->campaign();
    pump();
  }
  void pump() {
    for (bool worked = true; worked;) {
      worked = false;
      for (auto& voter : voters) {
        if (!voter->node->has_ready()) continue;
        worked = true;
        voter->work(
            [this](Message& m) { (void)voters[m.to.value() - 1]->node->step(std::move(m)); });
      }
    }
  }
  RawNode& leader() { return *voters[0]->node; }
  std::vector<std::unique_ptr<Voter>> voters;
};

}  // namespace truss::raft
