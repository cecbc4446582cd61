#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "truss/common/random.h"
#include "truss/measure/histogram.h"

/// Confidence intervals by resampling whole batches: latencies that follow each other are alike, so
/// single samples must not be taken for independent ones. *Thread:* any.
/// *Source:* Efron and Tibshirani, An Introduction to the Bootstrap (percentile intervals);
/// Künsch 1989 (blocks).
namespace truss::measure {

struct Interval {
  double low = 0;
  double high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
  friend bool operator==(const Interval&, const Interval&) = default;
};

struct ResamplingOptions {
  double confidence = 0.95;
  std::size_t rounds = 500;
  std::uint64_t seed = 1;
};

/// Of the quantile `share` over all batches, in nanoseconds; {0, 0} if all are empty.
Interval quantile_interval(std::span<const Histogram> batches, double share,
                           const ResamplingOptions& options = {});

/// Of quantile(later) / quantile(earlier). Both must have batches that are not empty.
Interval ratio_interval(std::span<const Histogram> earlier, std::span<const Histogram> later,
                        double share, const ResamplingOptions& options = {});

/// Of the mean of independent values, by Student's distribution at 95 %. {mean, mean} of one.
Interval mean_interval(std::span<const double> values);

}  // namespace truss::measure
