#include "thread_executor.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace truss {
namespace {

/// Batches that one guest runs; what comes after them wakes the thread.
constexpr int kGuestBatches = 4;

}  // namespace

/// Lives on: its thread, or for the time of a visit on the guest's.
class ThreadExecutor::Core final : public LentLoop, public std::enable_shared_from_this<Core> {
 public:
  Core(Clock& clock, Turns& turns, Lent lent) : clock_(clock), turns_(turns), lent_(lent) {}

  void post(Task task);
  void dispatch(Task task);
  TimerId post_at(MonoTime when, Task task);
  void cancel(TimerId id);
  bool is_current() const {
    return runner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  void stop();
  void run(TurnEnd* turn_end);

  void visit() override;
  void rouse() override;

 private:
  bool take_batch(std::vector<Task>& batch);
  static void run_batch(std::vector<Task>& batch, TurnEnd* turn_end);
  void move_due_timers();
  void await_guest(std::unique_lock<std::mutex>& lock);
  void wait_for_work(std::unique_lock<std::mutex>& lock);

  Clock& clock_;
  Turns& turns_;
  const Lent lent_;
  std::atomic<std::thread::id> runner_{};  // who runs tasks
  std::mutex mutex_;                       // guards the rest
  std::condition_variable wake_;
  std::vector<Task> queue_;
  std::map<std::pair<MonoTime, TimerId>, Task> timers_;
  std::map<TimerId, MonoTime> due_;
  std::uint64_t last_timer_ = 0;
  bool own_work_ = false;      // a task in the queue is for the thread, not for guests
  bool idle_ = false;          // the thread sleeps
  bool guest_ = false;         // another thread runs tasks in its place
  bool kept_waiting_ = false;  // the thread woke up, but the guest was still there
  bool stopping_ = false;
};

void ThreadExecutor::Core::post(Task task) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(task));
    own_work_ = true;
    wake = !guest_ && std::exchange(idle_, false);
  }
  if (wake) wake_.notify_one();
}

void ThreadExecutor::Core::dispatch(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(task));
    if (guest_ || !idle_) return;
  }
  if (!turns_.promise(shared_from_this())) rouse();
}

void ThreadExecutor::Core::rouse() {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    wake = !guest_ && !queue_.empty() && std::exchange(idle_, false);
  }
  if (wake) wake_.notify_one();
}

void ThreadExecutor::Core::visit() {
  if (lent_ == Lent::kNo) return rouse();
  std::vector<Task> batch;
  std::unique_lock lock(mutex_);
  if (guest_ || !idle_) return;
  guest_ = true;
  const auto host = runner_.exchange(std::this_thread::get_id());
  for (int i = 0; i < kGuestBatches && !queue_.empty() && !own_work_ && !stopping_; ++i) {
    batch.swap(queue_);
    lock.unlock();
    run_batch(batch, nullptr);
    lock.lock();
  }
  runner_ = host;
  guest_ = false;
  const bool wake = kept_waiting_ || (!queue_.empty() && std::exchange(idle_, false));
  lock.unlock();
  if (wake) wake_.notify_one();
}

TimerId ThreadExecutor::Core::post_at(MonoTime when, Task task) {
  const std::scoped_lock lock(mutex_);
  const auto id = static_cast<TimerId>(++last_timer_);
  if (stopping_) return id;
  timers_.emplace(std::pair(when, id), std::move(task));
  due_.emplace(id, when);
  const bool first = timers_.begin()->first.second == id;
  if (first && std::exchange(idle_, false)) wake_.notify_one();
  return id;
}

void ThreadExecutor::Core::cancel(TimerId id) {
  Task forgotten;  // destroyed after the lock is released
  const std::scoped_lock lock(mutex_);
  const auto due = due_.find(id);
  if (due == due_.end()) return;
  const auto timer = timers_.find(std::pair(due->second, id));
  forgotten = std::move(timer->second);
  timers_.erase(timer);
  due_.erase(due);
}

void ThreadExecutor::Core::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    idle_ = false;
  }
  wake_.notify_one();
}

void ThreadExecutor::Core::run(TurnEnd* turn_end) {
  runner_ = std::this_thread::get_id();
  std::vector<Task> batch;
  while (take_batch(batch)) run_batch(batch, turn_end);
}

void ThreadExecutor::Core::run_batch(std::vector<Task>& batch, TurnEnd* turn_end) {
  for (Task& task : batch) {
    if (turn_end != nullptr) turn_end->open();
    std::exchange(task, nullptr)();
    int visits_left = TurnEnd::kMaxVisits;
    if (turn_end != nullptr) turn_end->run(visits_left);
  }
  batch.clear();
  if (turn_end != nullptr) turn_end->close();
}

/// Waits for work; false when stopping and nothing is queued.
bool ThreadExecutor::Core::take_batch(std::vector<Task>& batch) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (guest_) {
      await_guest(lock);
      continue;
    }
    if (!stopping_) move_due_timers();
    if (!queue_.empty()) {
      batch.swap(queue_);
      own_work_ = false;
      return true;
    }
    if (stopping_) return false;
    wait_for_work(lock);
  }
}

void ThreadExecutor::Core::move_due_timers() {
  if (timers_.empty()) return;
  const MonoTime now = clock_.now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const auto first = timers_.begin();
    due_.erase(first->first.second);
    queue_.push_back(std::move(first->second));
    timers_.erase(first);
  }
}

void ThreadExecutor::Core::await_guest(std::unique_lock<std::mutex>& lock) {
  kept_waiting_ = true;
  wake_.wait(lock, [this] { return !guest_; });
  kept_waiting_ = false;
}

void ThreadExecutor::Core::wait_for_work(std::unique_lock<std::mutex>& lock) {
  idle_ = true;
  const auto awake = [this] { return !idle_; };
  if (timers_.empty()) {
    wake_.wait(lock, awake);
  } else {
    const MonoTime until = timers_.begin()->first.first;
    wake_.wait_until(lock, until, awake);
  }
  idle_ = false;
}

ThreadExecutor::ThreadExecutor(const std::string& name, Clock& clock, Turns& turns, Lent lent,
                               bool relays)
    : core_(std::make_shared<Core>(clock, turns, lent)),
      thread_(name, [core = core_, &turns, relays] {
        if (!relays) return core->run(nullptr);
        TurnEnd turn_end(turns);
        core->run(&turn_end);
      }) {}

ThreadExecutor::~ThreadExecutor() { stop(); }

void ThreadExecutor::post(Task task) { core_->post(std::move(task)); }
void ThreadExecutor::dispatch(Task task) { core_->dispatch(std::move(task)); }
TimerId ThreadExecutor::post_at(MonoTime when, Task task) {
  return core_->post_at(when, std::move(task));
}
void ThreadExecutor::cancel(TimerId id) { core_->cancel(id); }
bool ThreadExecutor::is_current() const { return core_->is_current(); }

void ThreadExecutor::stop() {
  core_->stop();
  thread_.join();
}

}  // namespace truss
