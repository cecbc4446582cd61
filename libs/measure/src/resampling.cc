#include "truss/measure/resampling.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace truss::measure {
namespace {

std::vector<const Histogram*> filled(std::span<const Histogram> batches) {
  std::vector<const Histogram*> out;
  for (const Histogram& batch : batches) {
    if (!batch.empty()) out.push_back(&batch);
  }
  return out;
}

/// The quantile of as many batches as there are, drawn with replacement.
double draw(const std::vector<const Histogram*>& batches, double share, Random& random) {
  Histogram all;
  for (std::size_t i = 0; i < batches.size(); ++i)
    all.merge(*batches[random.below(batches.size())]);
  return all.quantile(share);
}

Interval percentile_interval(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    return values[static_cast<std::size_t>(std::lround(place))];
  };
  return {at((1 - confidence) / 2), at((1 + confidence) / 2)};
}

// Two-sided 95 % points of Student's distribution for 1 to 30 degrees of freedom.
constexpr std::array<double, 30> kStudent = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

}  // namespace

Interval quantile_interval(std::span<const Histogram> batches, double share,
                           const ResamplingOptions& options) {
  const auto from = filled(batches);
  if (from.empty()) return {};
  SeededRandom random(options.seed);
  std::vector<double> values;
  for (std::size_t i = 0; i < options.rounds; ++i) values.push_back(draw(from, share, random));
  return percentile_interval(std::move(values), options.confidence);
}

Interval ratio_interval(std::span<const Histogram> earlier, std::span<const Histogram> later,
                        double share, const ResamplingOptions& options) {
  const auto before = filled(earlier);
  const auto after = filled(later);
  if (before.empty() || after.empty()) return {};
  SeededRandom random(options.seed);
  std::vector<double> values;
  for (std::size_t i = 0; i < options.rounds; ++i) {
    const double base = draw(before, share, random);
    values.push_back(draw(after, share, random) / std::max(base, 1.0));
  }
  return percentile_interval(std::move(values), options.confidence);
}

Interval mean_interval(std::span<const double> values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / n;
  if (values.size() == 1) return {mean, mean};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const std::size_t freedom = values.size() - 1;
  const double t = freedom <= kStudent.size() ? kStudent[freedom - 1] : 1.96;
  const double half = t * std::sqrt(squares / static_cast<double>(freedom) / n);
  return {mean - half, mean + half};
}

}  // namespace truss::measure
