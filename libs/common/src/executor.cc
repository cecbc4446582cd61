#include "truss/common/executor.h"

#include <pthread.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace truss {
namespace {

/// One thread, one queue, one ordered set of timers. While the thread sleeps, a guest may run a
/// task in its place.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor(const std::string& name, Clock& clock)
      : clock_(clock), thread_(name, [this] { run(); }) {}
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;
  ~ThreadExecutor() override { stop_thread(); }

  void post(Task task) override {
    bool wake = false;
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
      queue_.push_back(std::move(task));
      wake = !guest_ && std::exchange(idle_, false);
    }
    if (wake) wake_.notify_one();
  }

  void dispatch(Task task) override {
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
      const bool asleep = idle_ && !guest_ && queue_.empty();
      if (!asleep) return enqueue(std::move(task));
      guest_ = true;
    }
    const ThreadExecutor* const own = std::exchange(current_, this);
    task();
    task = nullptr;
    current_ = own;
    const std::scoped_lock lock(mutex_);
    guest_ = false;
    const bool work = !queue_.empty() && std::exchange(idle_, false);
    if (work || kept_waiting_) wake_.notify_one();
  }

  TimerId post_at(MonoTime when, Task task) override {
    const std::scoped_lock lock(mutex_);
    const auto id = static_cast<TimerId>(++last_timer_);
    if (stopping_) return id;
    timers_.emplace(std::pair(when, id), std::move(task));
    due_.emplace(id, when);
    const bool first = timers_.begin()->first.second == id;
    if (first && std::exchange(idle_, false)) wake_.notify_one();
    return id;
  }

  void cancel(TimerId id) override {
    Task forgotten;  // destroyed after the lock is released
    const std::scoped_lock lock(mutex_);
    const auto due = due_.find(id);
    if (due == due_.end()) return;
    const auto timer = timers_.find(std::pair(due->second, id));
    forgotten = std::move(timer->second);
    timers_.erase(timer);
    due_.erase(due);
  }

  bool is_current() const override { return current_ == this; }

  void stop() override { stop_thread(); }

 private:
  /// Under the lock. A guest hands over what came meanwhile when it leaves.
  void enqueue(Task task) {
    queue_.push_back(std::move(task));
    if (!guest_ && std::exchange(idle_, false)) wake_.notify_one();
  }

  void stop_thread() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
      idle_ = false;
    }
    wake_.notify_one();
    thread_.join();
  }

  void run() {
    current_ = this;
    std::vector<Task> batch;
    while (take_batch(batch)) {
      for (Task& task : batch) {
        task();
        task = nullptr;
      }
      batch.clear();
    }
  }

  /// Waits for work; false when stopping and nothing is queued.
  bool take_batch(std::vector<Task>& batch) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (guest_) {
        await_guest(lock);
        continue;
      }
      if (!stopping_) move_due_timers();
      if (!queue_.empty()) {
        batch.swap(queue_);
        return true;
      }
      if (stopping_) return false;
      wait_for_work(lock);
    }
  }

  void move_due_timers() {
    if (timers_.empty()) return;
    const MonoTime now = clock_.now();
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
      const auto first = timers_.begin();
      due_.erase(first->first.second);
      queue_.push_back(std::move(first->second));
      timers_.erase(first);
    }
  }

  void await_guest(std::unique_lock<std::mutex>& lock) {
    kept_waiting_ = true;
    wake_.wait(lock, [this] { return !guest_; });
    kept_waiting_ = false;
  }

  void wait_for_work(std::unique_lock<std::mutex>& lock) {
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

  static thread_local const ThreadExecutor* current_;

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Task> queue_;
  std::map<std::pair<MonoTime, TimerId>, Task> timers_;
  std::map<TimerId, MonoTime> due_;
  std::uint64_t last_timer_ = 0;
  bool idle_ = false;          // the thread sleeps
  bool guest_ = false;         // another thread runs a task in its place
  bool kept_waiting_ = false;  // the thread woke up, but the guest was still there
  bool stopping_ = false;
  Thread thread_;  // last: it runs on all of the above
};

thread_local const ThreadExecutor* ThreadExecutor::current_ = nullptr;

}  // namespace

struct Thread::Impl {
  std::thread thread;
};

Thread::Thread() = default;

Thread::Thread(const std::string& name, Task body) : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([name = name.substr(0, 15), body = std::move(body)]() mutable {
    ::pthread_setname_np(::pthread_self(), name.c_str());
    body();
  });
}

Thread::Thread(Thread&&) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  impl_ = std::move(other.impl_);
  return *this;
}

Thread::~Thread() { join(); }

void Thread::join() {
  if (impl_ && impl_->thread.joinable()) impl_->thread.join();
}

std::unique_ptr<Executor> ThreadRuntime::make_executor(const std::string& name) {
  return std::make_unique<ThreadExecutor>(name, clock_);
}

}  // namespace truss
