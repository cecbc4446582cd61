#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/executor.h"
#include "truss/common/process.h"
#include "truss/common/random.h"

/// Threads and time in one thread, replayable from a seed.
namespace truss::testing {

/// Virtual time; starts at one hour of monotonic time and 2026-01-01 of wall time.
class SimClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(elapsed_); }
  WallTime wall() const override;
  void advance_to(MonoTime when);
  void advance(Duration by) { advance_to(now() + by); }

 private:
  Duration elapsed_ = std::chrono::hours(1);
};

class SimRuntime;
class SimExecutor;
class SimMember;

/// Thrown by SimProcess::fatal to unwind one member. Only the simulator catches it.
struct SimDeath {
  SimMember* member = nullptr;  ///< null if the process belongs to no member
  std::string why;
};

/// A process whose fatal() throws SimDeath.
class SimProcess final : public Process {
 public:
  explicit SimProcess(SimMember* member = nullptr) : member_(member) {}
  [[noreturn]] void fatal(std::string_view why) override;

 private:
  SimMember* member_;
};

/// One simulated process: a Runtime whose executors die together.
class SimMember final : public Runtime {
 public:
  SimMember(SimRuntime& world, std::string name);
  ~SimMember() override;
  SimMember(const SimMember&) = delete;
  SimMember& operator=(const SimMember&) = delete;

  Clock& clock() override;
  std::unique_ptr<Executor> make_executor(const std::string& name) override;
  Process& process() { return process_; }
  const std::string& name() const { return name_; }

  /// kill -9: queued tasks and timers are dropped, later posts too; stop() of its executors runs
  /// nothing. Objects of the member may then be destroyed in any order.
  void kill(std::string why = "killed");
  bool alive() const { return !death_.has_value(); }
  /// Why it died: the text given to fatal() or kill(); empty while alive.
  const std::string& death() const;
  /// Calls `body` as code of this member outside any executor (construction, say). False if it
  /// ended in fatal(); the member is then dead.
  bool call(const std::function<void()>& body);

 private:
  friend class SimExecutor;
  friend class SimRuntime;
  SimRuntime& world_;
  std::string name_;
  SimProcess process_;
  std::optional<std::string> death_;
  std::vector<SimExecutor*> executors_;
};

/// Runs every executor of every member on the calling thread. The next executor to run is picked
/// by seed among those with a task; when none has one, time jumps to the next timer. Each task
/// costs one microsecond of virtual time.
///
/// As a Runtime it makes executors of a member of its own, "main".
class SimRuntime final : public Runtime {
 public:
  explicit SimRuntime(std::uint64_t seed);
  ~SimRuntime() override;

  SimClock& clock() override { return clock_; }
  std::unique_ptr<Executor> make_executor(const std::string& name) override;
  SimMember& main() { return *main_; }
  Process& process() { return main_->process(); }
  /// A generator for one purpose, a pure function of the seed and the purpose.
  SeededRandom random(std::string_view purpose) const;

  /// Runs one task, or jumps to the next timer and runs one. False if there is neither.
  bool step();
  /// Runs all that happens in the next `by` of virtual time, then sets the clock to its end.
  void run_for(Duration by);
  /// Runs until `done()`, at most `limit` of virtual time; returns done().
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::minutes(10));
  /// Runs until no task is queued; timers that are not due stay. False if `max_tasks` didn't do.
  bool run_until_idle(std::uint64_t max_tasks = 10'000'000);
  std::uint64_t tasks_run() const { return tasks_run_; }

 private:
  friend class SimExecutor;
  friend class SimMember;
  struct Timer {
    SimExecutor* executor;
    Task task;
  };
  using TimerKey = std::pair<MonoTime, std::uint64_t>;

  bool run_due_task();
  void queue_due_timers();
  void run_task_of(SimExecutor& executor);
  void forget(SimExecutor& executor);

  std::uint64_t seed_;
  SimClock clock_;
  SeededRandom scheduler_;
  std::vector<SimExecutor*> executors_;
  std::map<TimerKey, Timer> timers_;
  std::uint64_t last_timer_ = 0;
  std::uint64_t tasks_run_ = 0;
  std::unique_ptr<SimMember> main_;
};

}  // namespace truss::testing
