#include "truss/common/testing/sim_runtime.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "truss/common/await.h"

using namespace truss;
using namespace truss::testing;

namespace {

/// The order in which two executors' tasks ran under a seed.
std::string interleaving(std::uint64_t seed) {
  SimRuntime world(seed);
  const auto a = world.make_executor("a");
  const auto b = world.make_executor("b");
  std::string out;
  for (const char c : {'1', '2', '3'}) a->post([&out, c] { out += c; });
  for (const char c : {'x', 'y', 'z'}) b->post([&out, c] { out += c; });
  CHECK(world.run_until_idle());
  return out;
}

}  // namespace

TEST_CASE("the seed picks the next executor; each keeps its order") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const std::string order = interleaving(seed);
    CHECK(order == interleaving(seed));
    CHECK(order.find('1') < order.find('2'));
    CHECK(order.find('2') < order.find('3'));
    CHECK(order.find('x') < order.find('y'));
    seen.insert(order);
  }
  CHECK(seen.size() == 20);  // all of C(6, 3)
}

TEST_CASE("time jumps to the next timer") {
  SimRuntime world(1);
  const auto executor = world.make_executor("t");
  const MonoTime start = world.clock().now();
  std::vector<int> seen;
  for (const int hours : {3, 1, 2}) {
    executor->post_at(start + std::chrono::hours(hours), [&seen, hours] { seen.push_back(hours); });
  }
  CHECK(world.run_until_idle());
  CHECK(seen.empty());
  CHECK(world.run_until([&] { return seen.size() == 2; }, std::chrono::hours(10)));
  CHECK(seen == std::vector<int>{1, 2});
  CHECK(world.clock().now() >= start + std::chrono::hours(2));
  CHECK(world.clock().now() < start + std::chrono::hours(2) + std::chrono::seconds(1));
  CHECK(world.step());
  CHECK_FALSE(world.step());
  CHECK(world.clock().wall() - WallTime(std::chrono::seconds(1767225600)) >= std::chrono::hours(3));
}

TEST_CASE("run_for runs what falls into it and ends at its end") {
  SimRuntime world(1);
  const auto executor = world.make_executor("t");
  const MonoTime start = world.clock().now();
  int ticks = 0;
  std::function<void()> tick = [&] {
    ++ticks;
    executor->post_at(world.clock().now() + std::chrono::milliseconds(100), tick);
  };
  executor->post(tick);
  world.run_for(std::chrono::milliseconds(1050));
  CHECK(ticks == 11);
  CHECK(world.clock().now() == start + std::chrono::milliseconds(1050));
  CHECK_FALSE(world.run_until([&] { return ticks == 1000; }, std::chrono::seconds(1)));
}

TEST_CASE("cancelled timers don't run") {
  SimRuntime world(1);
  const auto executor = world.make_executor("t");
  const TimerId id =
      executor->post_at(world.clock().now() + std::chrono::seconds(1), [] { FAIL("cancelled"); });
  executor->cancel(id);
  executor->cancel(TimerId::kNone);
  CHECK_FALSE(world.step());
}

TEST_CASE("stop runs what is queued; later posts are dropped") {
  SimRuntime world(1);
  const auto executor = world.make_executor("t");
  int ran = 0;
  executor->post([&] {
    CHECK(executor->is_current());
    ++ran;
    executor->post([&] { ++ran; });
  });
  executor->stop();
  CHECK(ran == 2);
  CHECK_FALSE(executor->is_current());
  executor->post([&] { ++ran; });
  CHECK_FALSE(world.step());
}

TEST_CASE("a killed member runs nothing more; others go on") {
  SimRuntime world(1);
  SimMember one(world, "one");
  SimMember two(world, "two");
  const auto a = one.make_executor("x");
  const auto b = two.make_executor("x");
  int ran = 0;
  a->post([] { FAIL("dead"); });
  a->post_at(world.clock().now() + std::chrono::seconds(1), [] { FAIL("dead"); });
  b->post([&] { ++ran; });
  one.kill();
  a->post([] { FAIL("dead"); });
  const auto late = one.make_executor("late");
  late->post([] { FAIL("dead"); });
  while (world.step()) {
  }
  a->stop();
  CHECK(ran == 1);
  CHECK_FALSE(one.alive());
  CHECK(two.alive());
  CHECK(one.death() == "killed");
}

TEST_CASE("fatal unwinds the task and kills its member only") {
  SimRuntime world(1);
  SimMember one(world, "one");
  SimMember two(world, "two");
  const auto a = one.make_executor("x");
  const auto b = two.make_executor("x");
  bool unwound = false;
  struct Unwind {
    bool& flag;
    ~Unwind() { flag = true; }
  };
  a->post([&] {
    const Unwind guard{unwound};
    one.process().fatal("fdatasync failed");
  });
  a->post([] { FAIL("dead"); });
  int ran = 0;
  b->post([&] { ++ran; });
  CHECK(world.run_until_idle());
  CHECK(unwound);
  CHECK(one.death() == "fdatasync failed");
  CHECK(two.alive());
  CHECK(ran == 1);
}

TEST_CASE("call catches a fatal outside of executors") {
  SimRuntime world(1);
  SimMember one(world, "one");
  CHECK(one.call([] {}));
  CHECK_FALSE(one.call([&] { one.process().fatal("no disk"); }));
  CHECK(one.death() == "no disk");
}

TEST_CASE("executors and their member may be destroyed in any order") {
  SimRuntime world(1);
  auto member = std::make_unique<SimMember>(world, "m");
  auto executor = member->make_executor("x");
  executor->post([] { FAIL("dropped"); });
  member.reset();
  executor->post([] { FAIL("dropped"); });
  CHECK_FALSE(world.step());
  executor.reset();
}

TEST_CASE("random generators differ by purpose and repeat by seed") {
  const SimRuntime a(1), b(1), c(2);
  CHECK(a.random("x").next() == b.random("x").next());
  CHECK(a.random("x").next() != a.random("y").next());
  CHECK(a.random("x").next() != c.random("x").next());
}

TEST_CASE("await runs the tasks it waits for, of any executor") {
  SimRuntime world(1);
  const auto a = world.make_executor("a");
  const auto b = world.make_executor("b");
  std::promise<int> promise;
  a->post_at(world.clock().now() + std::chrono::seconds(5),
             [&] { b->post([&] { promise.set_value(7); }); });
  CHECK(await(*a, promise.get_future()) == 7);
  CHECK_FALSE(world.step());
}

TEST_CASE("await of what nobody will do ends the member") {
  SimRuntime world(1);
  SimMember one(world, "one");
  const auto a = one.make_executor("a");
  std::promise<void> never;
  CHECK_FALSE(one.call([&] { await(*a, never.get_future()); }));
  CHECK(one.death() == "waits for what can't come");
}

TEST_CASE("an executor that waits inside a task starts no other of its tasks") {
  SimRuntime world(1);
  const auto a = world.make_executor("a");
  const auto b = world.make_executor("b");
  std::string order;
  std::promise<void> promise;
  a->post([&] {
    b->post([&] { promise.set_value(); });
    await(*b, promise.get_future());
    order += "1";
  });
  a->post([&] { order += "2"; });
  CHECK(world.run_until_idle());
  CHECK(order == "12");
}
