#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

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
  std::string text() const;

 private:
  void sample(std::string_view name, std::string_view help, std::string_view type, double value,
              Labels labels);
  std::map<std::string, std::string, std::less<>> families_;
};

/// Shortest form that reads back the same, as Go's 'g' with exponents from 1e+06 on: `2.5e+09`.
std::string go_float(double value);

}  // namespace truss::api
