#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace truss::peertool {

/// Counts at or below an upper bound, by bound; the last bound is infinite.
using CumulativeCounts = std::map<double, double>;

/// Prometheus' text format, as GET /metrics gives it. What can't be read is passed over.
/// *Thread:* any.
class MetricsText {
 public:
  MetricsText() = default;
  explicit MetricsText(std::string text) : text_(std::move(text)) {}

  /// All samples of that name added up, whatever their labels; nullopt if there is none.
  std::optional<double> sum(const std::string& name) const;
  /// Of the histogram `name`, whatever its labels but `le`; empty if there is none.
  CumulativeCounts buckets(const std::string& name) const;

 private:
  template <class Body>
  void each_sample(const std::string& name, Body body) const;

  std::string text_;
};

/// What was counted from the first reading to the second. A member that was started anew counts
/// from 0.
CumulativeCounts growth(const CumulativeCounts& before, const CumulativeCounts& after);
/// The samples of such a histogram.
double count_of(const CumulativeCounts& counts);
/// A quantile, straight between the bounds of its bucket, as Prometheus computes it; 0 without
/// samples. Above the last finite bound it is that bound.
double quantile_of(const CumulativeCounts& counts, double share);

}  // namespace truss::peertool
