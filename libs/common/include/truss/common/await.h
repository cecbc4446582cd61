#pragma once

#include <chrono>
#include <future>
#include <utility>

#include "truss/common/executor.h"

namespace truss {

/// Blocks until the future is ready and returns its value; in the simulator runs the tasks that
/// will make it so. Not from a task of `executor`, the one that the caller waits for.
/// A simulated member that dies meanwhile leaves a broken promise: std::future_error is thrown.
template <class T>
T await(Executor& executor, std::future<T> future) {
  const auto done = [&] {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  executor.wait(done, [&] { future.wait(); });
  return future.get();
}

}  // namespace truss
