#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "truss/common/clock.h"

namespace truss {

class Turns;

/// A piece of work, run once.
using Task = absl::AnyInvocable<void()>;

/// Names a timer of one executor; 0 is never used.
enum class TimerId : std::uint64_t { kNone = 0 };

/// A serial queue of tasks: one "thread" of the house. Tasks posted by one thread run in the order
/// posted. In production each executor is a thread; in the simulator all share one, and the next
/// runnable task is picked by seed.
///
/// Thread: post, post_at, cancel may be called from any thread.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Queues the task. After stop() it is dropped (destroyed unrun).
  virtual void post(Task task) = 0;
  /// As post(), for short work that others wait for. If this executor sleeps, a calling thread with
  /// turns (TurnEnd) runs the task itself, as this executor (is_current() holds), when its turn
  /// ends, and nobody need be woken. Tasks still run one at a time and in order. Never runs the
  /// task before it returns. The simulator just queues.
  virtual void dispatch(Task task) { post(std::move(task)); }
  /// Runs the task at or soon after `when`.
  virtual TimerId post_at(MonoTime when, Task task) = 0;
  /// Forgets a timer that has not run yet; no effect otherwise.
  virtual void cancel(TimerId id) = 0;
  /// True when called from a task of this executor.
  virtual bool is_current() const = 0;
  /// Runs what is queued (not timers), then ends the thread and waits for it. Idempotent.
  /// Must not be called from a task of this executor.
  virtual void stop() = 0;
  /// Waits for something that tasks (of this executor or others) will bring about: calls `block`,
  /// which returns when it has come. The simulator runs tasks until `done()` instead, since nobody
  /// else would. Use await() of await.h. Not from a task of this executor.
  virtual void wait(const std::function<bool()>& done, const std::function<void()>& block) {
    static_cast<void>(done);
    block();
  }
};

/// Whether a sleeping executor may be lent to who dispatches. If not (its tasks block), its thread
/// is woken instead, at the end of the caller's turn.
enum class Lent : std::uint8_t { kNo, kYes };

/// Makes executors and owns the clock: the only place where a thread starts.
class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual Clock& clock() = 0;
  /// `name` shows in the thread list (15 characters at most are kept).
  virtual std::unique_ptr<Executor> make_executor(const std::string& name) = 0;
  /// An executor whose thread has turns, one a task: what a task dispatches to a sleeping executor
  /// is done when the task ends. So its tasks never wait for what they dispatch, and are short.
  virtual std::unique_ptr<Executor> make_relay(const std::string& name, Lent lent) {
    static_cast<void>(lent);
    return make_executor(name);
  }
};

/// Threads and the kernel's clock.
class ThreadRuntime final : public Runtime {
 public:
  ThreadRuntime();
  ~ThreadRuntime() override;
  ThreadRuntime(const ThreadRuntime&) = delete;
  ThreadRuntime& operator=(const ThreadRuntime&) = delete;

  Clock& clock() override { return clock_; }
  std::unique_ptr<Executor> make_executor(const std::string& name) override;
  std::unique_ptr<Executor> make_relay(const std::string& name, Lent lent) override;
  /// For event loops that bring their own queue.
  Turns& turns() { return *turns_; }

 private:
  SystemClock clock_;
  std::unique_ptr<Turns> turns_;
};

/// Starts a thread that runs `body` (for event loops that bring their own queue) and joins it in
/// stop() or the destructor.
class Thread {
 public:
  Thread();
  Thread(const std::string& name, Task body);
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;
  ~Thread();
  void join();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss
