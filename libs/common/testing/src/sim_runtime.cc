#include "truss/common/testing/sim_runtime.h"

#include <algorithm>

#include "sim_executor.h"
#include "truss/common/check.h"
#include "truss/common/crc32c.h"

namespace truss::testing {
namespace {

constexpr Duration kTaskCost = std::chrono::microseconds(1);
constexpr std::chrono::seconds kWallStart{1767225600};  // 2026-01-01T00:00:00Z

}  // namespace

WallTime SimClock::wall() const {
  return WallTime(kWallStart) + (elapsed_ - std::chrono::hours(1));
}

void SimClock::advance_to(MonoTime when) {
  TRUSS_CHECK(when >= now(), "time goes forward");
  elapsed_ = when.time_since_epoch();
}

void SimProcess::fatal(std::string_view why) { throw SimDeath{member_, std::string(why)}; }

SimExecutor::SimExecutor(SimRuntime& world, SimMember& member, std::string name)
    : world_(world), member_(&member), name_(std::move(name)), stopped_(!member.alive()) {
  member.executors_.push_back(this);
  world_.executors_.push_back(this);
}

SimExecutor::~SimExecutor() {
  drop();
  if (member_) std::erase(member_->executors_, this);
  world_.forget(*this);
}

void SimExecutor::post(Task task) {
  if (!stopped_) queue_.push_back(std::move(task));
}

TimerId SimExecutor::post_at(MonoTime when, Task task) {
  const std::uint64_t id = ++world_.last_timer_;
  if (!stopped_) {
    world_.timers_.emplace(SimRuntime::TimerKey(when, id),
                           SimRuntime::Timer{this, std::move(task)});
  }
  return TimerId{id};
}

void SimExecutor::cancel(TimerId id) {
  const auto it = std::find_if(world_.timers_.begin(), world_.timers_.end(), [&](const auto& t) {
    return t.first.second == static_cast<std::uint64_t>(id) && t.second.executor == this;
  });
  if (it != world_.timers_.end()) {
    const Task dropped = std::move(it->second.task);
    world_.timers_.erase(it);
  }
}

void SimExecutor::run_one() {
  Task task = std::move(queue_.front());
  queue_.pop_front();
  ++running_;
  try {
    task();
    task = nullptr;
  } catch (const SimDeath& death) {
    if (member_) member_->kill(death.why);
  }
  --running_;
}

void SimExecutor::stop() {
  TRUSS_CHECK(running_ == 0, "an executor can't stop itself");
  while (!stopped_ && !queue_.empty()) run_one();
  drop();
}

void SimExecutor::wait(const std::function<bool()>& done, const std::function<void()>&) {
  TRUSS_CHECK(running_ == 0, "an executor can't wait for itself");
  while (!done()) {
    if (stopped_ || !world_.step()) throw SimDeath{member_, "waits for what can't come"};
  }
}

void SimExecutor::drop() {
  stopped_ = true;
  // Destroying a task may post or cancel: take them out first.
  const auto queued = std::exchange(queue_, {});
  std::vector<Task> timers;
  for (auto it = world_.timers_.begin(); it != world_.timers_.end();) {
    if (it->second.executor != this) {
      ++it;
      continue;
    }
    timers.push_back(std::move(it->second.task));
    it = world_.timers_.erase(it);
  }
}

SimMember::SimMember(SimRuntime& world, std::string name)
    : world_(world), name_(std::move(name)), process_(this) {}

SimMember::~SimMember() {
  for (SimExecutor* executor : executors_) {
    executor->drop();
    executor->member_gone();
  }
}

Clock& SimMember::clock() { return world_.clock_; }

std::unique_ptr<Executor> SimMember::make_executor(const std::string& name) {
  return std::make_unique<SimExecutor>(world_, *this, name_ + "/" + name);
}

void SimMember::kill(std::string why) {
  if (!death_) death_ = std::move(why);
  for (SimExecutor* executor : std::vector<SimExecutor*>(executors_)) executor->drop();
}

const std::string& SimMember::death() const {
  static const std::string kNone;
  return death_ ? *death_ : kNone;
}

bool SimMember::call(const std::function<void()>& body) {
  try {
    body();
  } catch (const SimDeath& death) {
    kill(death.why);
  }
  return alive();
}

SimRuntime::SimRuntime(std::uint64_t seed)
    : seed_(seed),
      scheduler_(random("scheduler")),
      main_(std::make_unique<SimMember>(*this, "main")) {}

SimRuntime::~SimRuntime() {
  main_.reset();
  TRUSS_CHECK(executors_.empty(), "an executor outlives its SimRuntime");
}

std::unique_ptr<Executor> SimRuntime::make_executor(const std::string& name) {
  return main_->make_executor(name);
}

SeededRandom SimRuntime::random(std::string_view purpose) const {
  SeededRandom mixer(seed_ ^ (std::uint64_t{crc32c(purpose)} << 32));
  return SeededRandom(mixer.next());
}

void SimRuntime::forget(SimExecutor& executor) { std::erase(executors_, &executor); }

void SimRuntime::queue_due_timers() {
  while (!timers_.empty() && timers_.begin()->first.first <= clock_.now()) {
    Timer timer = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    timer.executor->queue_.push_back(std::move(timer.task));
  }
}

bool SimRuntime::run_due_task() {
  queue_due_timers();
  std::vector<SimExecutor*> runnable;
  for (SimExecutor* executor : executors_) {
    if (executor->runnable()) runnable.push_back(executor);
  }
  if (runnable.empty()) return false;
  runnable[scheduler_.below(runnable.size())]->run_one();
  ++tasks_run_;
  clock_.advance(kTaskCost);
  return true;
}

bool SimRuntime::step() {
  if (run_due_task()) return true;
  if (timers_.empty()) return false;
  clock_.advance_to(timers_.begin()->first.first);
  return run_due_task();
}

void SimRuntime::run_for(Duration by) {
  const MonoTime end = clock_.now() + by;
  run_until([&] { return clock_.now() >= end; }, by);
  if (clock_.now() < end) clock_.advance_to(end);
}

bool SimRuntime::run_until(const std::function<bool()>& done, Duration limit) {
  const MonoTime end = clock_.now() + limit;
  while (!done()) {
    if (run_due_task()) {
      if (clock_.now() > end) return done();
      continue;
    }
    if (timers_.empty() || timers_.begin()->first.first > end) return done();
    clock_.advance_to(timers_.begin()->first.first);
  }
  return true;
}

bool SimRuntime::run_until_idle(std::uint64_t max_tasks) {
  for (std::uint64_t i = 0; i < max_tasks; ++i) {
    if (!run_due_task()) return true;
  }
  return false;
}

}  // namespace truss::testing
