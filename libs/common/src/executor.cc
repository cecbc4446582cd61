#include "truss/common/executor.h"

#include <pthread.h>

#include <thread>
#include <utility>

#include "thread_executor.h"
#include "truss/common/turn_end.h"

namespace truss {

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

ThreadRuntime::ThreadRuntime() : turns_(std::make_unique<Turns>()) {}

ThreadRuntime::~ThreadRuntime() = default;

std::unique_ptr<Executor> ThreadRuntime::make_executor(const std::string& name) {
  return std::make_unique<ThreadExecutor>(name, clock_, *turns_, Lent::kYes, false);
}

std::unique_ptr<Executor> ThreadRuntime::make_relay(const std::string& name, Lent lent) {
  return std::make_unique<ThreadExecutor>(name, clock_, *turns_, lent, true);
}

}  // namespace truss
