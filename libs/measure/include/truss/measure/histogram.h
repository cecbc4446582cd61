#pragma once

#include <cstdint>
#include <vector>

#include "truss/common/clock.h"

namespace truss::measure {

/// Counts of latencies in log-linear buckets, 128 steps to each power of two: a quantile is true to
/// 0.4 %, the least and the greatest value exactly. Range: 0 to 2^46 ns (19 hours); more counts as
/// that. The way of HdrHistogram, without its variable precision.
///
/// Thread: one.
class Histogram {
 public:
  /// Values in [low_ns, end_ns).
  struct Bucket {
    std::uint64_t low_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t count = 0;

    friend bool operator==(const Bucket&, const Bucket&) = default;
  };

  /// Negative values count as 0.
  void add(std::int64_t nanoseconds, std::uint64_t times = 1);
  void add(Duration value) { add(value.count()); }
  void merge(const Histogram& other);

  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  /// In nanoseconds; 0 when empty.
  std::uint64_t least() const { return count_ == 0 ? 0 : least_; }
  std::uint64_t greatest() const { return greatest_; }
  double mean() const;
  /// The value that `share` (0 to 1) of all are at or below, in nanoseconds; 0 when empty.
  double quantile(double share) const;
  /// How many lie above `bound`, to the precision of a bucket.
  std::uint64_t count_above(Duration bound) const;

  /// Those that hold something, ascending.
  std::vector<Bucket> buckets() const;
  /// The opposite of buckets(); mean, least and greatest become those of the buckets.
  static Histogram from_buckets(const std::vector<Bucket>& buckets);

 private:
  static constexpr int kSubBits = 7;
  static constexpr std::size_t kOctaves = 40;
  static constexpr std::size_t kSlots = kOctaves << kSubBits;
  static std::size_t slot(std::uint64_t value);
  static std::uint64_t low_of(std::size_t slot);

  std::vector<std::uint64_t> slots_;  ///< as long as it has to be
  std::uint64_t count_ = 0;
  std::uint64_t least_ = UINT64_MAX;
  std::uint64_t greatest_ = 0;
  double sum_ = 0;
};

}  // namespace truss::measure
