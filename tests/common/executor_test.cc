#include "truss/common/executor.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "truss/common/await.h"

using namespace truss;

TEST_CASE("tasks of one thread run in the order posted, one at a time") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("order");
  std::vector<int> seen;  // no lock: only the executor touches it
  for (int i = 0; i < 10000; ++i) {
    executor->post([&seen, i] { seen.push_back(i); });
  }
  executor->stop();
  REQUIRE(seen.size() == 10000);
  for (int i = 0; i < 10000; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("many threads post, each in its order") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("many");
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  std::vector<int> last(kThreads, -1);
  bool ordered = true;
  {
    std::vector<Thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back("poster", [&, t] {
        for (int i = 0; i < kEach; ++i) {
          executor->post([&, t, i] {
            auto& previous = last[static_cast<std::size_t>(t)];
            ordered = ordered && previous == i - 1;
            previous = i;
          });
        }
      });
    }
  }
  executor->stop();
  CHECK(ordered);
  for (const int i : last) CHECK(i == kEach - 1);
}

TEST_CASE("stop runs what is queued, drops timers and later posts") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("stop");
  std::promise<void> gate;
  int ran = 0;
  executor->post([wait = gate.get_future().share()] { wait.wait(); });
  executor->post([&] { ++ran; });
  const auto held = std::make_shared<int>(1);
  executor->post_at(runtime.clock().now() + std::chrono::hours(1), [held] { FAIL("a timer ran"); });
  gate.set_value();
  executor->stop();
  CHECK(ran == 1);
  executor->post([held] { FAIL("ran after stop"); });
  executor->post_at(runtime.clock().now(), [held] { FAIL("ran after stop"); });
  executor->stop();
  CHECK(held.use_count() <= 2);  // at most the never-run timer still holds it
}

TEST_CASE("a task may post to its own executor; is_current tells") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("self");
  const auto other = runtime.make_executor("other");
  CHECK_FALSE(executor->is_current());
  std::promise<bool> done;
  executor->post([&] {
    executor->post([&] { done.set_value(executor->is_current() && !other->is_current()); });
  });
  CHECK(done.get_future().get());
  executor->stop();
  other->stop();
}

TEST_CASE("timers run in order of their times, not before them") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("timers");
  const MonoTime start = runtime.clock().now();
  std::vector<int> seen;
  std::promise<void> done;
  bool early = false;
  const auto note = [&](int i) {
    early = early || runtime.clock().now() < start + std::chrono::milliseconds(10 * i);
    seen.push_back(i);
    if (i == 3) done.set_value();
  };
  for (const int i : {3, 1, 2}) {
    executor->post_at(start + std::chrono::milliseconds(10 * i), [&, i] { note(i); });
  }
  done.get_future().wait();
  executor->stop();
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK_FALSE(early);
}

TEST_CASE("a sleeping executor wakes for an earlier timer and for a post") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("wake");
  executor->post_at(runtime.clock().now() + std::chrono::hours(1), [] { FAIL("too early"); });
  std::promise<void> timer;
  executor->post_at(runtime.clock().now() + std::chrono::milliseconds(5),
                    [&] { timer.set_value(); });
  timer.get_future().wait();
  std::promise<void> post;
  executor->post([&] { post.set_value(); });
  post.get_future().wait();
  executor->stop();
}

TEST_CASE("a cancelled timer doesn't run, and its task is destroyed at once") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("cancel");
  const auto held = std::make_shared<int>(1);
  const TimerId id = executor->post_at(runtime.clock().now() + std::chrono::hours(1),
                                       [held] { FAIL("cancelled"); });
  CHECK(id != TimerId::kNone);
  CHECK(held.use_count() == 2);
  executor->cancel(id);
  CHECK(held.use_count() == 1);
  executor->cancel(id);
  executor->cancel(TimerId::kNone);
  executor->stop();
}

TEST_CASE("threads hand work around a ring of executors") {
  ThreadRuntime runtime;
  std::vector<std::unique_ptr<Executor>> ring;
  for (int i = 0; i < 4; ++i) ring.push_back(runtime.make_executor("ring"));
  std::atomic<int> hops{0};
  std::promise<void> done;
  std::function<void(std::size_t)> hop = [&](std::size_t at) {
    if (++hops == 4000) return done.set_value();
    const std::size_t next = (at + 1) % ring.size();
    ring[next]->post([&, next] { hop(next); });
  };
  ring[0]->post([&] { hop(0); });
  done.get_future().wait();
  for (const auto& executor : ring) executor->stop();
  CHECK(hops == 4000);
}

TEST_CASE("the destructor stops the thread") {
  ThreadRuntime runtime;
  int ran = 0;
  {
    const auto executor = runtime.make_executor("a name longer than fifteen characters");
    executor->post([&] { ++ran; });
  }
  CHECK(ran == 1);
}

TEST_CASE("await blocks until the task has run") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("await");
  std::promise<int> promise;
  auto future = promise.get_future();
  executor->post([&] { promise.set_value(5); });
  CHECK(await(*executor, std::move(future)) == 5);
  executor->stop();
}
