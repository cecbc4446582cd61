#pragma once

#include <span>
#include <vector>

#include "truss/measure/histogram.h"

namespace truss::measure {

/// Whether a run of batches measures one thing, or one that was still changing.
struct Steadiness {
  bool steady = false;
  /// Batches at the start that look like warm-up (MSER: what is left has the least standard error).
  std::size_t still_warming = 0;
  /// Probability of a trend as clear as this one in batches that have none (Mann-Kendall).
  double trend_probability = 1;
  /// Theil-Sen slope over the whole run, relative to the median: 0.1 is 10 % up from first to last.
  double drift = 0;
};

/// Judges the medians of the batches; the empty ones don't count. Steady: no clear trend (1 %) of
/// more than 10 %, and no more than a quarter of the batches still warming. Fewer than 4: not
/// steady.
Steadiness judge_steadiness(std::span<const Histogram> batches);
Steadiness judge_steadiness(const std::vector<double>& values);

/// The first `n` of the values for which the rest has the least standard error, at most half.
std::size_t warm_up_length(const std::vector<double>& values);
/// Two-sided probability of the Mann-Kendall test for a trend, by the normal approximation with
/// correction for ties.
double trend_probability(const std::vector<double>& values);

}  // namespace truss::measure
