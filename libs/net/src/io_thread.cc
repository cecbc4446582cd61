#include "truss/net/io_thread.h"

#include <asio/post.hpp>

#include "io_thread_impl.h"
#include "truss/common/check.h"

namespace truss::net {

namespace {

constexpr std::size_t kReadBufferBytes = 256u << 10;
/// More work than this is for the own thread: a guest has its own to go on with.
constexpr std::size_t kGuestWork = 8;
/// What comes after this many rounds of a guest likewise.
constexpr int kGuestRounds = 4;

}  // namespace

IoThread::Impl::Impl(const std::string& name, Clock& clock, Turns* turns)
    : clock_(clock), turns_(turns), context_(1), work_(context_.get_executor()), timer_(context_) {
  read_buffer_.resize(kReadBufferBytes);
  thread_ = Thread(name, [this] { run(); });
}

void IoThread::Impl::run() {
  std::optional<TurnEnd> turn_end;
  if (turns_ != nullptr) turn_end_ = &turn_end.emplace(*turns_);
  context_.run();
}

/// Wakes the own thread, outside of the lock: who is woken wants it.
void IoThread::Impl::wake(Lock lock) {
  if (std::exchange(woken_, true)) return;
  lock.unlock();
  asio::post(context_, [this] {
    begin_turn(true);
    end_turn();
  });
}

/// Something short is queued: who has the turn sees it, or a guest will, or the own thread.
void IoThread::Impl::announce(Lock lock) {
  if (in_turn_ || woken_) return;
  if (turns_ == nullptr || commands_.size() + tasks_.size() > kGuestWork) {
    return wake(std::move(lock));
  }
  lock.unlock();
  if (!turns_->promise(shared_from_this())) rouse();
}

void IoThread::Impl::rouse() {
  Lock lock(mutex_);
  if (!in_turn_ && !stopped_ && has_queued()) wake(std::move(lock));
}

void IoThread::Impl::push(Command command) {
  Lock lock(mutex_);
  if (stopped_) return;
  commands_.push_back(std::move(command));
  announce(std::move(lock));
}

void IoThread::Impl::dispatch(Task task) {
  Lock lock(mutex_);
  if (stopped_) return;
  tasks_.push_back(std::move(task));
  announce(std::move(lock));
}

void IoThread::Impl::post(Task task) {
  Lock lock(mutex_);
  if (stopped_) return;
  tasks_.push_back(std::move(task));
  if (!in_turn_) wake(std::move(lock));
}

void IoThread::Impl::visit() {
  {
    const Lock lock(mutex_);
    if (in_turn_ || awaiting_turn_ > 0 || woken_ || stopped_ || !has_queued()) return;
    in_turn_ = true;
    turner_ = std::this_thread::get_id();
  }
  for (int i = 0; i < kGuestRounds && run_queued(); ++i) flush_dirty();
  arm_timer();
  Lock lock(mutex_);
  turner_ = std::thread::id();
  in_turn_ = false;
  if (awaiting_turn_ > 0) turn_over_.notify_all();
  if (has_queued()) wake(std::move(lock));
}

TimerId IoThread::Impl::post_at(MonoTime when, Task task) {
  Lock lock(mutex_);
  if (stopped_) return TimerId::kNone;
  const std::uint64_t id = ++last_timer_;
  timers_.emplace(std::pair(when, id), std::move(task));
  timer_times_.emplace(id, when);
  if (!is_current() && timers_.begin()->first.second == id) wake(std::move(lock));
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

void IoThread::Impl::begin_turn(bool by_wake) {
  Lock lock(mutex_);
  if (by_wake) woken_ = false;
  ++awaiting_turn_;
  turn_over_.wait(lock, [this] { return !in_turn_; });
  --awaiting_turn_;
  in_turn_ = true;
  turner_ = std::this_thread::get_id();
  if (turn_end_ != nullptr) turn_end_->open();
}

void IoThread::Impl::end_turn() {
  int visits_left = TurnEnd::kMaxVisits;
  do {
    const auto visit_others = [&] { return turn_end_ != nullptr && turn_end_->run(visits_left); };
    while (run_queued() || run_timers() || visit_others() || !dirty_.empty()) flush_dirty();
    arm_timer();
  } while (!leave_turn());
  if (turn_end_ != nullptr) turn_end_->close();
}

/// False if something was queued meanwhile.
bool IoThread::Impl::leave_turn() {
  const Lock lock(mutex_);
  if (has_queued()) return false;
  turner_ = std::thread::id();
  in_turn_ = false;
  return true;
}

void IoThread::Impl::flush_dirty() {
  while (!dirty_.empty()) {
    std::vector<std::shared_ptr<Flushable>> dirty;
    dirty.swap(dirty_);
    for (const auto& target : dirty) target->flush();
  }
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
    turn([this] { armed_for_.reset(); });
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
  Lock lock(mutex_);
  ++awaiting_turn_;
  turn_over_.wait(lock, [this] { return !in_turn_; });  // a guest's
  --awaiting_turn_;
  stopped_ = true;
  timers.swap(timers_);
  timer_times_.clear();
  commands.swap(commands_);
  tasks.swap(tasks_);
  lock.unlock();  // before what is dropped: its end may come back here
}

IoThread::IoThread(const std::string& name, Clock& clock, Turns* turns)
    : impl_(std::make_shared<Impl>(name, clock, turns)) {}

IoThread::~IoThread() { stop(); }

void IoThread::post(Task task) { impl_->post(std::move(task)); }
void IoThread::dispatch(Task task) { impl_->dispatch(std::move(task)); }
TimerId IoThread::post_at(MonoTime when, Task task) {
  return impl_->post_at(when, std::move(task));
}
void IoThread::cancel(TimerId id) { impl_->cancel(id); }
bool IoThread::is_current() const { return impl_->is_current(); }
void IoThread::stop() { impl_->stop(); }

}  // namespace truss::net
