#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "truss/common/executor.h"
#include "truss/common/turn_end.h"

using namespace truss;

namespace {

using namespace std::chrono_literals;

/// Runs `body` as one task of a relay, and what it promised.
void in_turn(ThreadRuntime& runtime, const std::function<void()>& body) {
  const auto relay = runtime.make_relay("relay", Lent::kYes);
  relay->post(body);
  relay->stop();
}

/// Dispatches `work` to a sleeping executor from a relay, again and again until the relay ran it.
bool is_lent(ThreadRuntime& runtime, Executor& executor, const std::function<void()>& work) {
  for (int i = 0; i < 5000; ++i) {
    std::promise<std::thread::id> ran;
    std::thread::id relay;
    in_turn(runtime, [&] {
      relay = std::this_thread::get_id();
      executor.dispatch([&] {
        work();
        ran.set_value(std::this_thread::get_id());
      });
    });
    if (ran.get_future().get() == relay) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

/// Says what was asked of it.
class Noted final : public LentLoop {
 public:
  explicit Noted(Turns& turns) : turns_(turns) {}
  void visit() override {
    ++visits;
    if (and_then != nullptr) CHECK(turns_.promise(std::exchange(and_then, nullptr)));
  }
  void rouse() override { ++wakings; }
  int visits = 0;
  int wakings = 0;
  std::shared_ptr<LentLoop> and_then;

 private:
  Turns& turns_;
};

}  // namespace

TEST_CASE("a sleeping executor lends itself to who has turns, as itself") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("idle");
  bool was_current = false;
  CHECK(is_lent(runtime, *executor, [&] { was_current = executor->is_current(); }));
  CHECK(was_current);
  CHECK_FALSE(executor->is_current());
  executor->stop();
}

TEST_CASE("what is dispatched runs when the turn ends, never before") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("later");
  int early = 0;
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(1ms);  // so that it sleeps
    bool turn_over = false;
    in_turn(runtime, [&] {
      executor->dispatch([&, here = std::this_thread::get_id()] {
        if (std::this_thread::get_id() == here && !turn_over) ++early;
      });
      turn_over = true;
    });
    std::promise<void> ran;
    executor->post([&] { ran.set_value(); });
    ran.get_future().wait();
  }
  executor->stop();
  CHECK(early == 0);
}

TEST_CASE("an executor that is not lent runs on its own thread, woken when the turn ends") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_relay("disk", Lent::kNo);
  std::promise<std::thread::id> own;
  executor->post([&] { own.set_value(std::this_thread::get_id()); });
  const std::thread::id thread = own.get_future().get();
  for (int i = 0; i < 100; ++i) {
    std::this_thread::sleep_for(100us);
    std::promise<std::thread::id> ran;
    in_turn(runtime,
            [&] { executor->dispatch([&] { ran.set_value(std::this_thread::get_id()); }); });
    CHECK(ran.get_future().get() == thread);
  }
  executor->stop();
}

TEST_CASE("nobody's turn: the executor's own thread is woken") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("woken");
  for (int i = 0; i < 200; ++i) {
    std::promise<std::thread::id> ran;
    executor->dispatch([&] { ran.set_value(std::this_thread::get_id()); });
    CHECK(ran.get_future().get() != std::this_thread::get_id());
  }
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
  std::vector<std::promise<std::thread::id>> ran(3);
  const auto note = [&](std::size_t i) { ran[i].set_value(std::this_thread::get_id()); };
  std::thread::id guest;
  bool once = false;
  REQUIRE(is_lent(runtime, *executor, [&] {
    if (std::exchange(once, true)) return;
    guest = std::this_thread::get_id();
    executor->post([&] { note(0); });
    executor->dispatch([&] { note(1); });
    executor->post_at(runtime.clock().now(), [&] { note(2); });
    std::this_thread::sleep_for(20ms);  // the timer wakes the thread
  }));
  const auto posted = ran[0].get_future().get();
  CHECK(ran[1].get_future().get() == posted);  // behind it
  ran[2].get_future().wait();
  executor->stop();
}

TEST_CASE("a posted task never runs on a guest's thread") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("own");
  std::promise<std::thread::id> own;
  executor->post([&] { own.set_value(std::this_thread::get_id()); });
  const std::thread::id thread = own.get_future().get();
  std::atomic<int> strangers{0};
  const auto check = [&, thread] { strangers += std::this_thread::get_id() != thread; };
  for (int i = 0; i < 300; ++i) {
    in_turn(runtime, [&] {
      executor->dispatch([&] { executor->post(check); });
      if (i % 2 == 0) executor->post(check);
    });
  }
  executor->stop();
  CHECK(strangers == 0);
}

TEST_CASE("guests, posts and timers never run at once, and none is lost") {
  ThreadRuntime runtime;
  const auto executor = runtime.make_executor("mixed");
  constexpr int kThreads = 3;
  constexpr int kEach = 3000;
  int ran = 0;  // no lock: one task at a time
  std::atomic<int> timers{0};
  const auto load = [&](int t, int i) {
    if ((i + t) % 3 == 0) {
      executor->post([&] { ++ran; });
    } else {
      executor->dispatch([&] { ++ran; });
    }
    if (i % 50 == 0) executor->post_at(runtime.clock().now(), [&] { timers += ran >= 0; });
    if (i % 20 == 0) std::this_thread::sleep_for(50us);
  };
  std::vector<std::unique_ptr<Executor>> relays;
  for (int t = 0; t < kThreads; ++t) {
    relays.push_back(runtime.make_relay("load", Lent::kYes));
    for (int i = 0; i < kEach; ++i) relays.back()->post([&load, t, i] { load(t, i); });
  }
  for (const auto& relay : relays) relay->stop();
  while (timers < kThreads * kEach / 50) std::this_thread::sleep_for(1ms);
  executor->stop();
  CHECK(ran == kThreads * kEach);
}

TEST_CASE("relays hand work around, each lent by the one before it") {
  ThreadRuntime runtime;
  std::vector<std::unique_ptr<Executor>> ring;
  for (int i = 0; i < 4; ++i) ring.push_back(runtime.make_relay("ring", Lent::kYes));
  constexpr int kHops = 20000;
  std::atomic<int> hops{0};
  std::promise<void> done;
  std::function<void(std::size_t)> hop = [&](std::size_t at) {
    if (++hops == kHops) return done.set_value();
    const std::size_t next = (at + 1) % ring.size();
    ring[next]->dispatch([&, next] { hop(next); });
  };
  ring[0]->post([&] { hop(0); });
  done.get_future().wait();
  for (const auto& executor : ring) executor->stop();
  CHECK(hops == kHops);
}

TEST_CASE("a stopped executor drops what is dispatched, and a promise may outlive it") {
  ThreadRuntime runtime;
  auto executor = runtime.make_executor("stopped");
  std::this_thread::sleep_for(5ms);
  bool ran = false;
  bool ran_late = false;
  in_turn(runtime, [&] {
    executor->dispatch([&] { ran = true; });
    executor->stop();
    executor->dispatch([&] { ran_late = true; });
    executor.reset();
  });
  CHECK(ran);
  CHECK_FALSE(ran_late);
}

TEST_CASE("a turn's end keeps each promise once, and those that the visits make") {
  Turns turns;
  const auto first = std::make_shared<Noted>(turns);
  const auto second = std::make_shared<Noted>(turns);
  CHECK_FALSE(turns.promise(first));
  TurnEnd end(turns);
  CHECK_FALSE(turns.promise(first));
  end.open();
  first->and_then = second;
  CHECK(turns.promise(first));
  CHECK(turns.promise(first));
  CHECK(first->visits == 0);
  int left = TurnEnd::kMaxVisits;
  CHECK(end.run(left));
  CHECK_FALSE(end.run(left));
  CHECK(first->visits == 1);
  CHECK(second->visits == 1);
  CHECK(left == TurnEnd::kMaxVisits - 2);
}

TEST_CASE("loops beyond the visits of a turn are woken, and those of a turn that just ended") {
  Turns turns;
  TurnEnd end(turns);
  end.open();
  std::vector<std::shared_ptr<Noted>> loops;
  for (int i = 0; i < 3; ++i) loops.push_back(std::make_shared<Noted>(turns));
  for (const auto& loop : loops) CHECK(turns.promise(loop));
  int left = 2;
  CHECK(end.run(left));
  CHECK(loops[1]->visits == 1);
  CHECK(loops[2]->visits == 0);
  CHECK(loops[2]->wakings == 1);
  CHECK(turns.promise(loops[0]));
  end.close();
  CHECK(loops[0]->wakings == 1);
  CHECK_FALSE(turns.promise(loops[0]));
}

TEST_CASE("each thread keeps its own promises, and a seat is free again when its thread is done") {
  Turns turns;
  TurnEnd mine(turns);
  mine.open();
  const auto loop = std::make_shared<Noted>(turns);
  for (std::size_t i = 0; i < 2 * Turns::kThreads; ++i) {
    Thread("other", [&] {
      CHECK_FALSE(turns.promise(loop));
      TurnEnd end(turns);
      end.open();
      CHECK(turns.promise(loop));
      int left = 1;
      CHECK(end.run(left));
    });
  }
  CHECK(loop->visits == static_cast<int>(2 * Turns::kThreads));
  int left = 1;
  CHECK_FALSE(mine.run(left));
}
