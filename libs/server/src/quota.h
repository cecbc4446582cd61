#pragma once

#include <cstdint>

#include "truss/mvcc/backend.h"

namespace truss::server {

/// How large the db file may grow. Thread: any.
class Quota {
 public:
  static constexpr std::int64_t kDefaultBytes = std::int64_t{2} << 30;

  /// `configured` 0: the default; negative: no limit.
  Quota(const mvcc::Backend& backend, std::int64_t configured)
      : backend_(backend), limit_(configured == 0 ? kDefaultBytes : configured) {}

  /// Whether an operation that may add `cost` bytes still fits. Cost 0 always does.
  bool available(std::int64_t cost) const {
    if (limit_ < 0 || cost == 0) return true;
    return static_cast<std::int64_t>(backend_.size_bytes()) + cost < limit_;
  }
  /// As in effect; negative when off.
  std::int64_t limit_bytes() const { return limit_; }

 private:
  const mvcc::Backend& backend_;
  const std::int64_t limit_;
};

}  // namespace truss::server
