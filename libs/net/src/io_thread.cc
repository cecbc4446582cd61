#include "truss/net/io_thread.h"

#include <asio/post.hpp>
#include <future>

#include "io_thread_impl.h"
#include "truss/common/check.h"

namespace truss::net {

constexpr std::size_t kReadBufferBytes = 256u << 10;

IoThread::Impl::Impl(const std::string& name, Clock& clock)
    : clock_(clock), context_(1), work_(context_.get_executor()), timer_(context_) {
  read_buffer_.resize(kReadBufferBytes);
  std::promise<void> started;
  thread_ = Thread(name, [this, &started] {
    thread_id_.store(std::this_thread::get_id());
    turn_end_.attach();
    started.set_value();
    context_.run();
  });
  started.get_future().wait();
}

void IoThread::Impl::wake() {
  asio::post(context_, [this] { end_turn(); });
}

void IoThread::Impl::push(Command command) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    const bool was_idle = commands_.empty() && tasks_.empty();
    commands_.push_back(std::move(command));
    if (!was_idle || is_current()) return;
  }
  wake();
}

void IoThread::Impl::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    tasks_.push_back(std::move(task));
    // Also from this thread: a task may be posted outside of any turn only before the loop runs.
    if (!commands_.empty() || tasks_.size() > 1) return;
  }
  wake();  // outside of the lock: who is woken wants it
}

TimerId IoThread::Impl::post_at(MonoTime when, Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return TimerId::kNone;
  const std::uint64_t id = ++last_timer_;
  timers_.emplace(std::pair(when, id), std::move(task));
  timer_times_.emplace(id, when);
  if (!is_current() && timers_.begin()->first.second == id) wake();
  return TimerId{id};
}

void IoThread::Impl::cancel(TimerId id) {
  Task doomed;  // its destructor runs outside the lock
  const std::lock_guard lock(mutex_);
  const auto found = timer_times_.find(static_cast<std::uint64_t>(id));
  if (found == timer_times_.end()) return;
  const auto timer = timers_.find(std::pair(found->second, found->first));
  doomed = std::move(timer->second);
  timers_.erase(timer);
  timer_times_.erase(found);
}

void IoThread::Impl::end_turn() {
  while (run_queued() || run_timers() || turn_end_.run() || !dirty_.empty()) {
    std::vector<std::shared_ptr<Flushable>> dirty;
    dirty.swap(dirty_);
    for (const auto& target : dirty) target->flush();
  }
  arm_timer();
}

bool IoThread::Impl::run_queued() {
  {
    const std::lock_guard lock(mutex_);
    running_commands_.swap(commands_);
    running_tasks_.swap(tasks_);
  }
  if (running_commands_.empty() && running_tasks_.empty()) return false;
  for (Command& command : running_commands_) command.target->run(command);
  for (Task& task : running_tasks_) std::move(task)();
  running_commands_.clear();
  running_tasks_.clear();
  return true;
}

bool IoThread::Impl::run_timers() {
  const MonoTime now = clock_.now();
  std::vector<Task> due;
  {
    const std::lock_guard lock(mutex_);
    while (!timers_.empty() && timers_.begin()->first.first <= now) {
      due.push_back(std::move(timers_.begin()->second));
      timer_times_.erase(timers_.begin()->first.second);
      timers_.erase(timers_.begin());
    }
  }
  for (Task& task : due) std::move(task)();
  return !due.empty();
}

void IoThread::Impl::arm_timer() {
  std::optional<MonoTime> next;
  {
    const std::lock_guard lock(mutex_);
    if (!timers_.empty()) next = timers_.begin()->first.first;
  }
  if (!next || (armed_for_ && *armed_for_ <= *next)) return;
  armed_for_ = next;
  const Duration wait = std::max(*next - clock_.now(), Duration::zero());
  timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(wait));
  timer_.async_wait([this](const std::error_code& error) {
    if (error) return;  // re-armed for an earlier time
    armed_for_.reset();
    end_turn();
  });
}

void IoThread::Impl::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
  TRUSS_CHECK(!is_current(), "a net thread can't wait for itself");
  post([this] { context_.stop(); });
  thread_.join();
  absl::btree_map<std::pair<MonoTime, std::uint64_t>, Task> timers;
  std::vector<Command> commands;
  std::vector<Task> tasks;
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  timers.swap(timers_);
  timer_times_.clear();
  commands.swap(commands_);
  tasks.swap(tasks_);
}

IoThread::IoThread(const std::string& name, Clock& clock)
    : impl_(std::make_shared<Impl>(name, clock)) {}

IoThread::~IoThread() { stop(); }

void IoThread::post(Task task) { impl_->post(std::move(task)); }
TimerId IoThread::post_at(MonoTime when, Task task) {
  return impl_->post_at(when, std::move(task));
}
void IoThread::cancel(TimerId id) { impl_->cancel(id); }
bool IoThread::is_current() const { return impl_->is_current(); }
void IoThread::stop() { impl_->stop(); }

}  // namespace truss::net
