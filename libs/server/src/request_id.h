#pragma once

#include <atomic>
#include <cstdint>

#include "truss/common/clock.h"
#include "truss/raft/types.h"

namespace truss::server {

/// Ids of requests, unique in the cluster and over restarts: two bytes of the member id, five of
/// the start time in milliseconds, one of a counter that may run into them. Thread: any.
/// Source: pkg/idutil.
class RequestIds {
 public:
  RequestIds(raft::NodeId member, WallTime now) : prefix_(member.value() << 48) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    next_ = (static_cast<std::uint64_t>(ms.count()) & kTimeMask) << 8;
  }
  std::uint64_t next() {
    return prefix_ | ((next_.fetch_add(1, std::memory_order_relaxed) + 1) & kSuffixMask);
  }

 private:
  static constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 40) - 1;
  static constexpr std::uint64_t kSuffixMask = (std::uint64_t{1} << 48) - 1;
  std::uint64_t prefix_;
  std::atomic<std::uint64_t> next_;
};

}  // namespace truss::server
