#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include "truss/mvcc/backend.h"
#include "truss/server/response.h"

namespace truss::server {

/// The alarms that are on, kept in bucket `alarm`. Thread: apply; those marked *any* take a lock.
class Alarms {
 public:
  /// Reads the bucket. Errors: kCorruption.
  Result<> load(mvcc::Backend& backend);
  /// Switches on; idempotent. AlarmType::kNone is ignored. Returns the alarms it names.
  std::vector<AlarmMember> activate(const AlarmMember& alarm);
  /// Switches off exactly that alarm of that member. Returns what was switched off.
  std::vector<AlarmMember> deactivate(const AlarmMember& alarm);
  /// All of a type; kNone: all. Thread: any.
  std::vector<AlarmMember> list(AlarmType type = AlarmType::kNone) const;
  /// Whether some member has that alarm on. Thread: any.
  bool active(AlarmType type) const {
    return counts_[static_cast<std::size_t>(type)].load(std::memory_order_relaxed) > 0;
  }

 private:
  void count();

  mvcc::Backend* backend_ = nullptr;
  mutable std::mutex mutex_;
  std::set<AlarmMember> on_;
  std::atomic<int> counts_[256] = {};  // by type; any byte may come in a request
};

}  // namespace truss::server
