#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "truss/common/duration_counts.h"

namespace truss::api {

/// Builds a scrape in Prometheus' text format: families by name, floats as Go prints them.
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void gauge(std::string_view name, std::string_view help, double value, Labels labels = {}) {
    sample(name, help, "gauge", value, labels);
  }
  void counter(std::string_view name, std::string_view help, double value, Labels labels = {}) {
    sample(name, help, "counter", value, labels);
  }
  /// `unit`: what the metric's name says, seconds or milliseconds.
  void histogram(std::string_view name, std::string_view help,
                 const DurationCounts::Sample& durations, Labels labels = {},
                 Duration unit = std::chrono::seconds(1));
  std::string text() const;

 private:
  /// One sample; `bound` is the value of label `le`, if any.
  static void line(std::string& out, std::string_view name, Labels labels, std::string_view bound,
                   std::string_view value);
  std::string& family(std::string_view name, std::string_view help, std::string_view type);
  void sample(std::string_view name, std::string_view help, std::string_view type, double value,
              Labels labels);
  std::map<std::string, std::string, std::less<>> families_;
};

/// Shortest form that reads back the same, as Go's 'g' with exponents from 1e+06 on: `2.5e+09`.
std::string go_float(double value);

}  // namespace truss::api
