#pragma once

#include <array>
#include <cstdint>

namespace truss::bench {

/// Counts of latencies in log-linear buckets: 64 steps to each power of two, so a quantile is true
/// to 1.6 %. Range: 1 ns to 2^40 ns (18 minutes); more counts as that.
class Histogram {
 public:
  void add(std::int64_t nanoseconds);
  std::uint64_t count() const { return count_; }
  /// The value that `share` (0 to 1) of all are at or below, in nanoseconds; 0 when empty.
  double quantile(double share) const;

 private:
  static constexpr int kSubBits = 6;
  static constexpr int kOctaves = 40;
  static std::size_t slot(std::uint64_t value);
  static double middle(std::size_t slot);
  std::array<std::uint64_t, (kOctaves << kSubBits)> slots_{};
  std::uint64_t count_ = 0;
};

}  // namespace truss::bench
