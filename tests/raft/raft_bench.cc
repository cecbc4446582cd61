#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "group.h"
#include "truss/raft/quorum.h"

/// Micro-benchmarks of the raft core: in-memory storage, 256 byte payloads, one thread. The counter
/// `allocs` is heap allocations per operation.

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

class AllocationCount {
 public:
  explicit AllocationCount(benchmark::State& state) : state_(state), before_(g_allocations) {}
  ~AllocationCount() {
    state_.counters["allocs"] = benchmark::Counter(static_cast<double>(g_allocations - before_) /
                                                   static_cast<double>(state_.iterations()));
  }

 private:
  benchmark::State& state_;
  std::size_t before_;
};

Message from(std::uint64_t id, MessageType type, RawNode& to) {
  Message m;
  m.type = type;
  m.from = NodeId{id};
  m.to = to.basic_status().id;
  m.term = to.basic_status().hard_state.term;
  return m;
}

void step_no_op_ack(benchmark::State& state) {
  Group group(3);
  Message ack = from(2, MessageType::kAppResp, group.leader());
  ack.index = Index{1};
  AllocationCount count(state);
  for (auto _ : state) (void)group.leader().step(std::move(ack));
}
BENCHMARK(step_no_op_ack);

void step_heartbeat_and_ready(benchmark::State& state) {
  Group group(3);
  Voter& follower = *group.voters[1];
  Message beat = from(1, MessageType::kHeartbeat, *follower.node);
  AllocationCount count(state);
  for (auto _ : state) {
    for (int i = 0; i < 16; ++i) (void)follower.node->step(std::move(beat));
    follower.work();
  }
  state.SetItemsProcessed(state.iterations() * 16);
}
BENCHMARK(step_heartbeat_and_ready);

void follower_append_and_ready(benchmark::State& state) {
  Group group(3);
  Voter& follower = *group.voters[1];
  Message app = from(1, MessageType::kApp, *follower.node);
  Index last = follower.node->basic_status().last_index;
  const Term term = app.term;
  AllocationCount count(state);
  for (auto _ : state) {
    app.index = last;
    app.log_term = term;
    app.commit = last;
    app.entries.clear();
    app.entries.push_back({term, ++last, EntryType::kNormal, kPayload});
    (void)follower.node->step(std::move(app));
    follower.work();
  }
}
BENCHMARK(follower_append_and_ready);

void leader_propose_and_two_acks(benchmark::State& state) {
  Group group(3);
  Voter& leader = *group.voters[0];
  Message ack2 = from(2, MessageType::kAppResp, *leader.node);
  Message ack3 = from(3, MessageType::kAppResp, *leader.node);
  AllocationCount count(state);
  for (auto _ : state) {
    (void)leader.node->propose(kPayload);
    leader.work();
    ack2.index = ack3.index = leader.node->basic_status().last_index;
    (void)leader.node->step(std::move(ack2));
    (void)leader.node->step(std::move(ack3));
    leader.work();
  }
}
BENCHMARK(leader_propose_and_two_acks);

/// Proposals of `range` entries, until committed everywhere; per entry.
void propose_until_committed(benchmark::State& state, std::uint64_t voters) {
  Group group(voters);
  std::vector<SharedBytes> batch(static_cast<std::size_t>(state.range(0)));
  AllocationCount count(state);
  for (auto _ : state) {
    for (SharedBytes& bytes : batch) bytes = kPayload;
    (void)group.leader().propose(batch);
    group.pump();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(propose_until_committed, one_node, 1)->Arg(1)->Arg(64)->Arg(256);
BENCHMARK_CAPTURE(propose_until_committed, three_nodes, 3)->Arg(1)->Arg(64)->Arg(256);

void leader_tick(benchmark::State& state) {
  Group group(3);
  AllocationCount count(state);
  for (auto _ : state) {
    group.leader().tick();
    group.voters[0]->work();
  }
}
BENCHMARK(leader_tick);

void committed_index(benchmark::State& state) {
  std::vector<std::uint64_t> match;
  for (std::int64_t id = 1; id <= state.range(0); ++id) {
    match.push_back(static_cast<std::uint64_t>(id * 7919 % 101));
  }
  const std::size_t count = match.size();
  std::uint64_t* positions = match.data();
  for (auto _ : state) {
    benchmark::DoNotOptimize(positions);  // so that nothing is computed once for all
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(majority_position({positions, count}));
  }
}
BENCHMARK(committed_index)->Arg(1)->Arg(3)->Arg(5)->Arg(7)->Arg(9)->Arg(11);

void status(benchmark::State& state) {
  Group group(3);
  for (auto _ : state) benchmark::DoNotOptimize(group.leader().status());
}
BENCHMARK(status);

void basic_status(benchmark::State& state) {
  Group group(3);
  for (auto _ : state) benchmark::DoNotOptimize(group.leader().basic_status());
}
BENCHMARK(basic_status);

}  // namespace
}  // namespace truss::raft

BENCHMARK_MAIN();
