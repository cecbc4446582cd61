#pragma once

#include <vector>

#include "truss/common/executor.h"

namespace truss {

/// Work put off to the end of a turn of an event loop, when all that came in at once has been seen:
/// many requests make one batch, without waking another thread to collect them.
///
/// Lives on: the thread of its loop. defer() may be called from any thread.
class TurnEnd {
 public:
  /// From now on defer() on the calling thread puts work in here. At most one a thread.
  void attach();
  /// Runs what was put off, and what that puts off; false if there was nothing.
  bool run();

  /// Puts `task` off to the end of the turn that the calling thread is in. False, and nothing
  /// taken, if it runs no event loop.
  static bool defer(Task& task);

 private:
  std::vector<Task> tasks_;
  std::vector<Task> running_;
};

}  // namespace truss
