#pragma once

#include <memory>
#include <string>

#include "truss/common/executor.h"
#include "truss/common/turn_end.h"

namespace truss {

/// One thread, one queue, one ordered set of timers. While the thread sleeps, a guest may run what
/// was dispatched in its place.
class ThreadExecutor final : public Executor {
 public:
  /// `relays`: its thread has turns, one a task.
  ThreadExecutor(const std::string& name, Clock& clock, Turns& turns, Lent lent, bool relays);
  ~ThreadExecutor() override;

  void post(Task task) override;
  void dispatch(Task task) override;
  TimerId post_at(MonoTime when, Task task) override;
  void cancel(TimerId id) override;
  bool is_current() const override;
  void stop() override;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // a promised visit may outlive the executor
  Thread thread_;
};

}  // namespace truss
