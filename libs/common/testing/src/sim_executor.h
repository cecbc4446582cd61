#pragma once

#include <deque>
#include <string>

#include "truss/common/testing/sim_runtime.h"

namespace truss::testing {

/// A queue that SimRuntime runs. Belongs to one member; outliving it is allowed.
class SimExecutor final : public Executor {
 public:
  SimExecutor(SimRuntime& world, SimMember& member, std::string name);
  ~SimExecutor() override;

  void post(Task task) override;
  TimerId post_at(MonoTime when, Task task) override;
  void cancel(TimerId id) override;
  bool is_current() const override { return running_ > 0; }
  void stop() override;
  void wait(const std::function<bool()>& done, const std::function<void()>& block) override;

  /// Has a task and is not inside one (that waits, say).
  bool runnable() const { return running_ == 0 && !queue_.empty(); }
  /// Runs the first task; the member's death is noted.
  void run_one();
  /// Drops what is queued; nothing runs any more.
  void drop();
  void member_gone() { member_ = nullptr; }

 private:
  friend class SimRuntime;
  SimRuntime& world_;
  SimMember* member_;
  std::string name_;
  std::deque<Task> queue_;
  int running_ = 0;
  bool stopped_ = false;
};

}  // namespace truss::testing
