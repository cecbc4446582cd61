#include "truss/common/turn_end.h"

#include <utility>

namespace truss {
namespace {

thread_local TurnEnd* of_this_thread = nullptr;

}  // namespace

void TurnEnd::attach() { of_this_thread = this; }

bool TurnEnd::run() {
  if (tasks_.empty()) return false;
  while (!tasks_.empty()) {
    running_.swap(tasks_);
    for (Task& task : running_) std::exchange(task, nullptr)();
    running_.clear();
  }
  return true;
}

bool TurnEnd::defer(Task& task) {
  if (of_this_thread == nullptr) return false;
  of_this_thread->tasks_.push_back(std::move(task));
  return true;
}

}  // namespace truss
