#include "truss/mvcc/watch.h"

namespace truss::mvcc {

bool WatchQueue::offer(WatchResponse& response, bool forced) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= limit_ && !forced) return false;
    was_empty = queue_.empty();
    queue_.push_back(std::move(response));
  }
  if (was_empty && wake_) wake_();
  return true;
}

std::optional<WatchResponse> WatchQueue::take() {
  std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  std::optional<WatchResponse> out(std::move(queue_.front()));
  queue_.pop_front();
  return out;
}

std::size_t WatchQueue::size() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace truss::mvcc
