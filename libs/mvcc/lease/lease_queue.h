#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "truss/common/clock.h"
#include "truss/mvcc/kv.h"

namespace truss::lease {

/// Leases by the time something is due for them; each at most once.
/// Thread: guarded by the lessor's lock.
class LeaseQueue {
 public:
  /// Enters the lease, or moves it.
  void set(mvcc::LeaseId id, MonoTime due);
  void remove(mvcc::LeaseId id);
  void clear();
  /// The first lease due at or before `now`, nullopt if none.
  std::optional<mvcc::LeaseId> due(MonoTime now) const;

 private:
  absl::flat_hash_map<mvcc::LeaseId, MonoTime> times_;
  std::set<std::pair<MonoTime, mvcc::LeaseId>> order_;
};

}  // namespace truss::lease
