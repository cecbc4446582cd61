#include "lease_queue.h"

namespace truss::lease {

void LeaseQueue::set(mvcc::LeaseId id, MonoTime due) {
  remove(id);
  times_.emplace(id, due);
  order_.emplace(due, id);
}

void LeaseQueue::remove(mvcc::LeaseId id) {
  const auto it = times_.find(id);
  if (it == times_.end()) return;
  order_.erase({it->second, id});
  times_.erase(it);
}

void LeaseQueue::clear() {
  times_.clear();
  order_.clear();
}

std::optional<mvcc::LeaseId> LeaseQueue::due(MonoTime now) const {
  if (order_.empty() || order_.begin()->first > now) return std::nullopt;
  return order_.begin()->second;
}

}  // namespace truss::lease
