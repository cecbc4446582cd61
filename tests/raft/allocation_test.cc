#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>

#include "group.h"

/// Once warm, the core takes nothing from the heap but what its callers bring along.

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

using namespace truss;
using namespace truss::raft;

namespace {

const SharedBytes kPayload = SharedBytes::copy(std::string(256, 'x'));

/// Heap allocations of 200 rounds, after as many to warm up.
template <class Round>
std::size_t allocations(Round&& round) {
  for (int i = 0; i < 200; ++i) round();
  const std::size_t before = g_allocations;
  for (int i = 0; i < 200; ++i) round();
  return g_allocations - before;
}

void cut(Group& group) {
  for (auto& voter : group.voters) (void)voter->storage.compact(voter->applied);
}

}  // namespace

TEST_CASE("the count counts") {
  CHECK(allocations([] { (void)SharedBytes::copy("x"); }) == 200);
}

TEST_CASE("proposals, one by one and in batches, from the leader and back to it") {
  for (std::uint64_t voters : {1, 3, 5}) {
    for (std::size_t entries : {1, 16, 64}) {
      CAPTURE(voters);
      CAPTURE(entries);
      Group group(voters);
      std::vector<SharedBytes> batch(entries);
      CHECK(allocations([&] {
              for (SharedBytes& bytes : batch) bytes = kPayload;
              REQUIRE(group.leader().propose(batch).has_value());
              group.pump();
              cut(group);
            }) == 0);
    }
  }
}

TEST_CASE("proposals that a follower forwards") {
  Group group(3);
  CHECK(allocations([&] {
          REQUIRE(group.voters[1]->node->propose(kPayload).has_value());
          group.pump();
          cut(group);
        }) == 0);
}

TEST_CASE("ticks, heartbeats and their answers") {
  Group group(3);
  CHECK(allocations([&] {
          for (auto& voter : group.voters) voter->node->tick();
          group.pump();
        }) == 0);
}

TEST_CASE("a peer that refuses, falls back to probing and catches up") {
  Group group(3);
  CHECK(allocations([&] {
          group.leader().report_unreachable(NodeId{2});
          REQUIRE(group.leader().propose(kPayload).has_value());
          group.pump();
          cut(group);
        }) == 0);
}
