#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "truss/common/clock.h"

namespace truss {

/// How often something took how long, in the buckets of etcd's disk metrics: up to 1 ms, then
/// doubling, the last bucket for all above 8.192 s. Thread: any.
class DurationCounts {
 public:
  static constexpr std::size_t kBounds = 14;
  /// Upper bound of bucket i, inclusive; i < kBounds.
  static constexpr Duration bound(std::size_t i) { return std::chrono::milliseconds(1) * (1 << i); }

  struct Sample {
    std::array<std::uint64_t, kBounds + 1> counts{};  ///< not cumulative
    double sum_seconds = 0;
  };

  void add(Duration took) {
    std::size_t i = 0;
    while (i < kBounds && took > bound(i)) ++i;
    counts_[i].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(took.count(), std::memory_order_relaxed);
  }
  Sample sample() const {
    Sample out;
    for (std::size_t i = 0; i <= kBounds; ++i) {
      out.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    out.sum_seconds = static_cast<double>(sum_.load(std::memory_order_relaxed)) / 1e9;
    return out;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds + 1> counts_{};
  std::atomic<std::int64_t> sum_{0};  // nanoseconds
};

}  // namespace truss
