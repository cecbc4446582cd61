#pragma once

#include <memory>
#include <string>

#include "truss/common/clock.h"
#include "truss/common/executor.h"

namespace truss {
class Turns;
}

namespace truss::net {

/// An Executor whose queue is an Asio loop, so that sockets and posted tasks share one thread.
/// Work runs in turns: a turn handles one socket event or wake-up, then all that was posted
/// meanwhile, then flushes every connection that got output, each with as few writes as possible.
///
/// While its thread sleeps, one that has turns (TurnEnd) lends itself for what is dispatched: it
/// runs a turn in its place when its own ends, the writes to the sockets included, which never
/// block.
///
/// Thread: Executor's methods from any; the rest of libs/net reaches the loop through impl().
class IoThread final : public Executor {
 public:
  /// `name` shows in the thread list. The thread starts at once. With `turns` it lends itself to
  /// the other loops there, and they to it.
  IoThread(const std::string& name, Clock& clock, Turns* turns = nullptr);
  ~IoThread() override;

  void post(Task task) override;
  void dispatch(Task task) override;
  TimerId post_at(MonoTime when, Task task) override;
  void cancel(TimerId id) override;
  bool is_current() const override;
  void stop() override;

  class Impl;
  Impl& impl() { return *impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace truss::net
