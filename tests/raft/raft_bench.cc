#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "group.h"
#include "truss/raft/quorum.h"

/// Micro-benchmarks of the raft core: in-memory storage, 256 byte payloads, one thread. The counter
/// `allocs` is heap allocations per operation. tests/bench/raft-go does the same with etcd's raft
/// package; tests/bench/raft-ratio compares.
///
///   raft_bench [benchmark's flags]     times
///   raft_bench --count NAME N          N operations and nothing else, to count instructions

namespace {
std::size_t g_allocations = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace truss::raft {
namespace {

const SharedBytes kPayload = SharedBytes::copy(std::string(256, 'x'));

Message from(std::uint64_t id, MessageType type, RawNode& to) {
  Message m;
  m.type = type;
  m.from = NodeId{id};
  m.to = to.basic_status().id;
  m.term = to.basic_status().hard_state.term;
  return m;
}

/// One operation to be repeated, with all that it works on.
using Operation = std::function<void()>;

Operation no_op_ack() {
  auto group = std::make_shared<Group>(3);
  auto ack = std::make_shared<Message>(from(2, MessageType::kAppResp, group->leader()));
  ack->index = Index{1};
  return [group, ack] { (void)group->leader().step(std::move(*ack)); };
}

/// Sixteen heartbeats and one Ready.
Operation heartbeats() {
  auto group = std::make_shared<Group>(3);
  auto beat = std::make_shared<Message>(from(1, MessageType::kHeartbeat, *group->voters[1]->node));
  return [group, beat] {
    Voter& follower = *group->voters[1];
    for (int i = 0; i < 16; ++i) (void)follower.node->step(std::move(*beat));
    follower.work();
  };
}

Operation follower_append() {
  auto group = std::make_shared<Group>(3);
  auto app = std::make_shared<Message>(from(1, MessageType::kApp, *group->voters[1]->node));
  Index last = group->voters[1]->node->basic_status().last_index;
  return [group, app, last]() mutable {
    app->index = app->commit = last;
    app->log_term = app->term;
    app->entries.clear();
    app->entries.push_back({app->term, ++last, EntryType::kNormal, kPayload});
    (void)group->voters[1]->node->step(std::move(*app));
    group->voters[1]->work();
  };
}

Operation leader_and_two_acks() {
  auto group = std::make_shared<Group>(3);
  auto acks = std::make_shared<std::vector<Message>>();
  for (std::uint64_t id : {2, 3}) acks->push_back(from(id, MessageType::kAppResp, group->leader()));
  return [group, acks] {
    Voter& leader = *group->voters[0];
    (void)leader.node->propose(kPayload);
    leader.work();
    for (Message& ack : *acks) {
      ack.index = leader.node->basic_status().last_index;
      (void)leader.node->step(std::move(ack));
    }
    leader.work();
  };
}

/// A proposal of `entries` entries, until committed everywhere.
Operation propose(std::uint64_t voters, std::size_t entries) {
  auto group = std::make_shared<Group>(voters);
  return [group, batch = std::vector<SharedBytes>(entries)]() mutable {
    for (SharedBytes& bytes : batch) bytes = kPayload;
    (void)group->leader().propose(batch);
    group->pump();
  };
}

Operation leader_tick() {
  auto group = std::make_shared<Group>(3);
  return [group] {
    group->leader().tick();
    group->voters[0]->work();
  };
}

Operation committed_index(std::size_t voters) {
  std::vector<std::uint64_t> match;
  for (std::size_t id = 1; id <= voters; ++id) match.push_back(id * 7919 % 101);
  return [match]() mutable {
    benchmark::DoNotOptimize(match.data());  // so that nothing is computed once for all
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(majority_position(match));
  };
}

Operation status() {
  auto group = std::make_shared<Group>(3);
  return [group] { benchmark::DoNotOptimize(group->leader().status()); };
}

Operation basic_status() {
  auto group = std::make_shared<Group>(3);
  return [group] { benchmark::DoNotOptimize(group->leader().basic_status()); };
}

struct Scenario {
  std::string name;
  std::size_t items;  ///< per operation
  std::function<Operation()> make;
};

std::vector<Scenario> scenarios() {
  std::vector<Scenario> out = {{"step_no_op_ack", 1, no_op_ack},
                               {"step_heartbeat_and_ready", 16, heartbeats},
                               {"follower_append_and_ready", 1, follower_append},
                               {"leader_propose_and_two_acks", 1, leader_and_two_acks},
                               {"leader_tick", 1, leader_tick},
                               {"status", 1, status},
                               {"basic_status", 1, basic_status}};
  for (std::uint64_t voters : {1, 3}) {
    const std::string name =
        std::string("propose_until_committed/") + (voters == 1 ? "one_node/" : "three_nodes/");
    for (std::size_t entries : {1, 64, 256}) {
      out.push_back({name + std::to_string(entries), entries,
                     [voters, entries] { return propose(voters, entries); }});
    }
  }
  for (std::size_t voters : {1, 3, 5, 7, 9, 11}) {
    out.push_back({"committed_index/" + std::to_string(voters), 1,
                   [voters] { return committed_index(voters); }});
  }
  return out;
}

void time(benchmark::State& state, const Scenario& scenario) {
  const Operation operation = scenario.make();
  for (int i = 0; i < 100; ++i) operation();
  const std::size_t before = g_allocations;
  for (auto _ : state) operation();
  const auto count = static_cast<double>(state.iterations());
  state.counters["allocs"] = static_cast<double>(g_allocations - before) / count;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(scenario.items));
}

int count(const char* name, long operations) {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name != name) continue;
    const Operation operation = scenario.make();
    for (long i = 0; i < operations; ++i) operation();
    return 0;
  }
  std::fprintf(stderr, "raft_bench: no scenario %s\n", name);
  return 2;
}

}  // namespace
}  // namespace truss::raft

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--count") == 0) {
    return truss::raft::count(argv[2], std::atol(argv[3]));
  }
  for (const auto& scenario : truss::raft::scenarios()) {
    benchmark::RegisterBenchmark(scenario.name.c_str(), [scenario](benchmark::State& state) {
      truss::raft::time(state, scenario);
    });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
