#include <doctest/doctest.h>

#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "socket_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

TEST_CASE("an IoThread is an executor: order, timers, cancel, stop") {
  SystemClock clock;
  IoThread thread("order", clock);
  std::vector<int> order;
  Counter done;
  const MonoTime now = clock.now();
  thread.post_at(now + 40ms, [&] {
    order.push_back(4);
    done.add();
  });
  thread.post_at(now + 20ms, [&] { order.push_back(3); });
  const TimerId doomed = thread.post_at(now + 30ms, [&] { order.push_back(99); });
  thread.cancel(doomed);
  thread.post([&] { order.push_back(1); });
  thread.post([&] {
    CHECK(thread.is_current());
    order.push_back(2);
  });
  CHECK_FALSE(thread.is_current());
  REQUIRE(done.reaches(1));
  thread.stop();
  CHECK(order == std::vector<int>{1, 2, 3, 4});
  thread.post([&] { order.push_back(100); });
  thread.stop();
  CHECK(order.size() == 4);
}

/// Whether a relay's thread gets to run what it dispatches, within 5000 tries.
bool is_lent(ThreadRuntime& runtime, IoThread& loop, const std::function<void()>& work) {
  for (int i = 0; i < 5000; ++i) {
    std::promise<std::thread::id> ran;
    std::thread::id here;
    const auto relay = runtime.make_relay("relay", Lent::kYes);
    relay->post([&] {
      here = std::this_thread::get_id();
      loop.dispatch([&] {
        work();
        ran.set_value(std::this_thread::get_id());
      });
    });
    relay->stop();
    if (ran.get_future().get() == here) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST_CASE("a sleeping IoThread lends itself to who has turns, as itself") {
  ThreadRuntime runtime;
  IoThread loop("lent", runtime.clock(), &runtime.turns());
  bool was_current = false;
  CHECK(is_lent(runtime, loop, [&] { was_current = loop.is_current(); }));
  CHECK(was_current);
  CHECK_FALSE(loop.is_current());
  loop.stop();
}

TEST_CASE("timers and posts of a guest's turn of an IoThread are not lost") {
  ThreadRuntime runtime;
  IoThread loop("left", runtime.clock(), &runtime.turns());
  Counter timers;
  Counter posts;
  for (int i = 1; i <= 50; ++i) {
    (void)is_lent(runtime, loop, [&] {
      loop.post_at(runtime.clock().now() + 1ms, [&] { timers.add(); });
      loop.post([&] { posts.add(); });
    });
  }
  CHECK(timers.reaches(50));
  CHECK(posts.reaches(50));
  loop.stop();
}

TEST_CASE("guests, posts and timers of an IoThread never run at once, and none is lost") {
  ThreadRuntime runtime;
  IoThread loop("mixed", runtime.clock(), &runtime.turns());
  constexpr int kThreads = 3;
  constexpr int kEach = 3000;
  int ran = 0;  // no lock: one task at a time
  Counter timers;
  const auto load = [&](int t, int i) {
    if ((i + t) % 3 == 0) {
      loop.post([&] { ++ran; });
    } else {
      loop.dispatch([&] { ++ran; });
    }
    if (i % 50 == 0) {
      loop.post_at(runtime.clock().now(), [&] {
        ran += 0;
        timers.add();
      });
    }
    if (i % 20 == 0) std::this_thread::sleep_for(50us);
  };
  std::vector<std::unique_ptr<Executor>> relays;
  for (int t = 0; t < kThreads; ++t) {
    relays.push_back(runtime.make_relay("load", Lent::kYes));
    for (int i = 0; i < kEach; ++i) relays.back()->post([&load, t, i] { load(t, i); });
  }
  for (const auto& relay : relays) relay->stop();
  CHECK(timers.reaches(kThreads * kEach / 50));
  loop.stop();
  CHECK(ran == kThreads * kEach);
}

TEST_CASE("two IoThreads hand work to and fro") {
  ThreadRuntime runtime;
  IoThread one("one", runtime.clock(), &runtime.turns());
  IoThread two("two", runtime.clock(), &runtime.turns());
  Counter done;
  int left = 20000;
  std::function<void()> hop = [&] {
    if (--left == 0) return done.add();
    (left % 2 == 0 ? one : two).dispatch([&] { hop(); });
  };
  one.post([&] { hop(); });
  CHECK(done.reaches(1));
  one.stop();
  two.stop();
}

TEST_CASE("an IoThread may be stopped and destroyed while visits to it are promised") {
  ThreadRuntime runtime;
  for (int i = 0; i < 100; ++i) {
    auto loop = std::make_unique<IoThread>("gone", runtime.clock(), &runtime.turns());
    const auto relay = runtime.make_relay("relay", Lent::kYes);
    const auto held = std::make_shared<int>(0);
    for (int k = 0; k < 20; ++k) {
      relay->post([&loop = *loop, held] { loop.dispatch([held] { ++*held; }); });
    }
    loop->stop();
    relay->stop();
    loop.reset();
    CHECK(held.use_count() == 1);
  }
}

}  // namespace
}  // namespace truss::net
