#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "truss/common/executor.h"
#include "truss/common/turn_end.h"

using namespace truss;

namespace {

/// Lets the executor's thread fall asleep: true if it does, and a dispatched task runs at once,
/// here.
bool lends_itself(Executor& executor) {
  const auto here = std::this_thread::get_id();
  for (int i = 0; i < 5000; ++i) {
    std::promise<std::thread::id> ran;
    executor.dispatch([&] { ran.set_value(std::this_thread::get_id()); });
    if (ran.get_future().get() == here) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("an idle executor lends itself to who dispatches, as itself") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("idle");
  REQUIRE(lends_itself(*executor));
  bool was_current = false;
  while (!was_current) executor->dispatch([&] { was_current = executor->is_current(); });
  CHECK_FALSE(executor->is_current());
  executor->stop();
}

TEST_CASE("a busy executor queues what is dispatched, in order") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("busy");
  std::promise<void> gate;
  std::vector<int> seen;
  executor->post([wait = gate.get_future().share()] { wait.wait(); });
  executor->post([&] { seen.push_back(1); });
  executor->dispatch([&] { seen.push_back(2); });
  executor->post([&] { seen.push_back(3); });
  CHECK(seen.empty());
  gate.set_value();
  executor->stop();
  CHECK(seen == std::vector{1, 2, 3});
}

TEST_CASE("what a guest leaves behind is the executor's own work") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("left");
  REQUIRE(lends_itself(*executor));
  std::promise<void> posted;
  std::promise<void> nested;
  std::promise<void> timed;
  const auto task = [&] {
    executor->post([&] { posted.set_value(); });
    executor->dispatch([&] { nested.set_value(); });
    executor->post_at(runtime.clock().now(), [&] { timed.set_value(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the timer wakes the thread
  };
  executor->dispatch(task);
  posted.get_future().wait();
  nested.get_future().wait();
  timed.get_future().wait();
  executor->stop();
}

TEST_CASE("guests, posts and timers never run at once, and none is lost") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("mixed");
  constexpr int kThreads = 3;
  constexpr int kEach = 3000;
  int ran = 0;  // no lock: one task at a time
  std::atomic<int> timers{0};
  const auto load = [&](int t) {
    for (int i = 0; i < kEach; ++i) {
      if ((i + t) % 3 == 0) {
        executor->post([&] { ++ran; });
      } else {
        executor->dispatch([&] { ++ran; });
      }
      if (i % 50 == 0) executor->post_at(runtime.clock().now(), [&] { timers += ran >= 0; });
      if (i % 20 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  };
  {
    std::vector<Thread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back("load", [&, t] { load(t); });
  }
  while (timers < kThreads * kEach / 50) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  executor->stop();
  CHECK(ran == kThreads * kEach);
}

TEST_CASE("a stopped executor drops what is dispatched") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("stopped");
  executor->stop();
  bool ran = false;
  executor->dispatch([&] { ran = true; });
  CHECK_FALSE(ran);
}

TEST_CASE("work is put off to the end of the turn of a thread that has turns") {
  std::vector<int> seen;
  Task early = [&] { seen.push_back(0); };
  CHECK_FALSE(TurnEnd::defer(early));
  CHECK(static_cast<bool>(early));
  Thread("turns", [&] {
    TurnEnd end;
    end.attach();
    Task first = [&] {
      seen.push_back(1);
      Task second = [&] { seen.push_back(2); };
      CHECK(TurnEnd::defer(second));
    };
    CHECK(TurnEnd::defer(first));
    CHECK(seen.empty());
    CHECK(end.run());
    CHECK_FALSE(end.run());
  });
  CHECK(seen == std::vector{1, 2});
}
