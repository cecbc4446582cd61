#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mailbox.h"
#include "truss/common/executor.h"
#include "truss/common/turn_end.h"
#include "truss/net/io_thread.h"

namespace truss::net {

/// Something that wants to write at the end of the turn.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void flush() = 0;
};

/// The loop behind IoThread: Asio's context, the mailbox, timers, and the list of connections to
/// flush. Outlives its IoThread as long as handles of calls point to it; then it drops what it
/// gets.
///
/// One thread at a time has the turn: the loop's own, or a guest while that one sleeps. "This
/// thread" below is the one that has it.
class IoThread::Impl final : public Mailbox,
                             public LentLoop,
                             public std::enable_shared_from_this<Impl> {
 public:
  Impl(const std::string& name, Clock& clock, Turns* turns);

  // Any thread.
  void push(Command command) override;
  void post(Task task);
  void dispatch(Task task);
  TimerId post_at(MonoTime when, Task task);
  void cancel(TimerId id);
  bool is_current() const {
    return turner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  void stop();
  void visit() override;
  void rouse() override;

  // This thread only.
  asio::io_context& context() { return context_; }
  Clock& clock() { return clock_; }
  /// Runs `body` as one turn. Every handler given to Asio does all its work in here.
  template <class Body>
  void turn(Body&& body) {
    begin_turn();
    body();
    end_turn();
  }
  /// Flushes `target` at the end of this turn; it must live until then.
  void flush_later(std::shared_ptr<Flushable> target) { dirty_.push_back(std::move(target)); }
  /// Scratch space for one read or one write, valid within one handler.
  std::string& read_buffer() { return read_buffer_; }
  std::string& write_buffer() { return write_buffer_; }

 private:
  using Lock = std::unique_lock<std::mutex>;

  void run();
  void begin_turn(bool by_wake = false);
  void end_turn();
  bool leave_turn();
  bool run_queued();
  bool run_timers();
  void flush_dirty();
  void arm_timer();
  bool has_queued() const { return !commands_.empty() || !tasks_.empty(); }
  void announce(Lock lock);
  void wake(Lock lock);

  Clock& clock_;
  Turns* const turns_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer timer_;
  std::optional<MonoTime> armed_for_;
  std::vector<std::shared_ptr<Flushable>> dirty_;
  TurnEnd* turn_end_ = nullptr;  ///< the own thread's only
  std::string read_buffer_;
  std::string write_buffer_;
  std::vector<Command> running_commands_;
  std::vector<Task> running_tasks_;

  std::mutex mutex_;  ///< guards those below
  std::vector<Command> commands_;
  std::vector<Task> tasks_;
  absl::btree_map<std::pair<MonoTime, std::uint64_t>, Task> timers_;
  absl::flat_hash_map<std::uint64_t, MonoTime> timer_times_;
  bool stopped_ = false;
  bool in_turn_ = false;   ///< somebody has the turn, and sees what is queued before it ends
  bool woken_ = false;     ///< the own thread is on its way
  int awaiting_turn_ = 0;  ///< threads that wait for the end of a guest's turn
  std::condition_variable turn_over_;

  std::uint64_t last_timer_ = 0;
  std::atomic<std::thread::id> turner_{};  ///< who has the turn
  Thread thread_;
};

}  // namespace truss::net
