#pragma once

#include <future>
#include <utility>

#include "io_thread_impl.h"

namespace truss::net {

/// Runs `job` on `thread` and returns when it has run; at once if called there. Once the thread has
/// stopped it is dropped. Thread: any.
inline void run_and_wait(IoThread::Impl& thread, Task job) {
  if (thread.is_current()) return std::move(job)();
  std::promise<void> ran;  // one that is dropped unkept ends the wait too
  const std::future<void> over = ran.get_future();
  thread.post([job = std::move(job), ran = std::move(ran)]() mutable {
    std::move(job)();
    ran.set_value();
  });
  over.wait();
}

}  // namespace truss::net
