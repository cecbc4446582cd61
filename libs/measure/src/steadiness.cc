#include "truss/measure/steadiness.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace truss::measure {
namespace {

constexpr std::size_t kFewest = 4;
constexpr double kClear = 0.01;
constexpr double kDrift = 0.10;

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Median of the slopes between all pairs, times the length of the run.
double theil_sen_rise(const std::vector<double>& values) {
  std::vector<double> slopes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i + 1; j < values.size(); ++j) {
      slopes.push_back((values[j] - values[i]) / static_cast<double>(j - i));
    }
  }
  return median(std::move(slopes)) * static_cast<double>(values.size() - 1);
}

}  // namespace

std::size_t warm_up_length(const std::vector<double>& values) {
  std::size_t best = 0;
  double least = INFINITY;
  for (std::size_t cut = 0; cut * 2 <= values.size(); ++cut) {
    const auto left = static_cast<double>(values.size() - cut);
    if (left < 2) break;
    double sum = 0;
    for (std::size_t i = cut; i < values.size(); ++i) sum += values[i];
    double squares = 0;
    for (std::size_t i = cut; i < values.size(); ++i) {
      squares += (values[i] - sum / left) * (values[i] - sum / left);
    }
    const double error = squares / (left * left);
    if (error < least * (1 - 1e-9)) {
      least = error;
      best = cut;
    }
  }
  return best;
}

double trend_probability(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  if (n < 3) return 1;
  double s = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i + 1; j < values.size(); ++j) {
      s += values[j] > values[i] ? 1 : values[j] < values[i] ? -1 : 0;
    }
  }
  std::map<double, double> ties;
  for (const double value : values) ties[value] += 1;
  double variance = n * (n - 1) * (2 * n + 5);
  for (const auto& [value, t] : ties) variance -= t * (t - 1) * (2 * t + 5);
  variance /= 18;
  if (variance <= 0 || s == 0) return 1;
  const double z = (std::abs(s) - 1) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

Steadiness judge_steadiness(const std::vector<double>& values) {
  Steadiness out;
  if (values.size() < kFewest) return out;
  out.still_warming = warm_up_length(values);
  out.trend_probability = trend_probability(values);
  const double middle = median(values);
  out.drift = middle > 0 ? theil_sen_rise(values) / middle : 0;
  const bool trend = out.trend_probability < kClear && std::abs(out.drift) > kDrift;
  // A cut that gains nothing worth having is no warm-up.
  const std::vector<double> head(values.begin(),
                                 values.begin() + static_cast<std::ptrdiff_t>(out.still_warming));
  const bool warm = head.empty() || std::abs(median(head) - middle) <= kDrift * middle;
  if (warm) out.still_warming = 0;
  out.steady = !trend && out.still_warming * 4 <= values.size();
  return out;
}

Steadiness judge_steadiness(std::span<const Histogram> batches) {
  std::vector<double> medians;
  for (const Histogram& batch : batches) {
    if (!batch.empty()) medians.push_back(batch.quantile(0.5));
  }
  return judge_steadiness(medians);
}

}  // namespace truss::measure
