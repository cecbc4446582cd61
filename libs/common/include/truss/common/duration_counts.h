#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "truss/common/clock.h"

namespace truss {

/// How often something took how long, in buckets whose bounds double: `first`, 2·first, 4·first, …,
/// and a last bucket for all above. Adding costs two atomic operations. Thread: any.
class DurationCounts {
 public:
  static constexpr std::size_t kMaxBounds = 24;

  struct Sample {
    Duration first{};                                    ///< upper bound of bucket 0, inclusive
    std::size_t bounds = 0;                              ///< buckets that have an upper bound
    std::array<std::uint64_t, kMaxBounds + 1> counts{};  ///< not cumulative; [bounds] is the last
    double sum_seconds = 0;
  };

  /// The default is that of etcd's disk metrics: 1 ms to 8.192 s. `bounds` <= kMaxBounds.
  explicit DurationCounts(Duration first = std::chrono::milliseconds(1), std::size_t bounds = 14)
      : first_(first), bounds_(bounds) {}

  void add(Duration took) {
    std::size_t i = 0;
    while (i < bounds_ && took > first_ * (std::int64_t{1} << i)) ++i;
    counts_[i].fetch_add(1, std::memory_order_relaxed);
    sum_seconds_.fetch_add(std::chrono::duration<double>(took).count(), std::memory_order_relaxed);
  }
  Sample sample() const {
    Sample out{first_, bounds_};
    for (std::size_t i = 0; i <= bounds_; ++i) {
      out.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    out.sum_seconds = sum_seconds_.load(std::memory_order_relaxed);
    return out;
  }

 private:
  const Duration first_;
  const std::size_t bounds_;
  std::array<std::atomic<std::uint64_t>, kMaxBounds + 1> counts_{};
  std::atomic<double> sum_seconds_{0};
};

/// Adds the time from its construction to its destruction.
class ScopedTime {
 public:
  ScopedTime(Clock& clock, DurationCounts& counts) : ScopedTime(&clock, &counts) {}
  /// Null `counts`: measures nothing.
  ScopedTime(Clock* clock, DurationCounts* counts)
      : clock_(clock), counts_(counts), start_(counts ? clock->now() : MonoTime{}) {}
  ScopedTime(const ScopedTime&) = delete;
  ScopedTime& operator=(const ScopedTime&) = delete;
  ~ScopedTime() {
    if (counts_ != nullptr) counts_->add(clock_->now() - start_);
  }

 private:
  Clock* clock_;
  DurationCounts* counts_;
  MonoTime start_;
};

}  // namespace truss
