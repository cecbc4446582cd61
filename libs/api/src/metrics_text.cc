#include "metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace truss::api {
namespace {

void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string go_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer{};
  const auto format = value != 0 && (std::fabs(value) < 1e-4 || std::fabs(value) >= 1e6)
                          ? std::chars_format::scientific
                          : std::chars_format::fixed;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
  return std::string(buffer.data(), end);
}

void MetricsText::sample(std::string_view name, std::string_view help, std::string_view type,
                         double value, Labels labels) {
  std::string& out = family(name, help, type);
  out += name;
  char separator = '{';
  for (const auto& [label, text] : labels) {
    out += separator;
    out += label;
    out += "=\"";
    append_label_value(out, text);
    out += '"';
    separator = ',';
  }
  if (separator == ',') out += '}';
  out += ' ';
  out += go_float(value);
  out += '\n';
}

std::string& MetricsText::family(std::string_view name, std::string_view help,
                                 std::string_view type) {
  const auto it = families_.find(name);
  if (it != families_.end()) return it->second;
  const std::string n(name);
  return families_[n] = "# HELP " + n + " " + std::string(help) + "\n# TYPE " + n + " " +
                        std::string(type) + "\n";
}

void MetricsText::histogram(std::string_view name, std::string_view help,
                            const DurationCounts::Sample& durations) {
  std::string& out = family(name, help, "histogram");
  const std::string n(name);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= DurationCounts::kBounds; ++i) {
    count += durations.counts[i];
    const double bound = i < DurationCounts::kBounds
                             ? std::chrono::duration<double>(DurationCounts::bound(i)).count()
                             : std::numeric_limits<double>::infinity();
    out += n + "_bucket{le=\"" + go_float(bound) + "\"} " + std::to_string(count) + "\n";
  }
  out += n + "_sum " + go_float(durations.sum_seconds) + "\n";
  out += n + "_count " + std::to_string(count) + "\n";
}

std::string MetricsText::text() const {
  std::string out;
  for (const auto& [name, block] : families_) out += block;
  return out;
}

}  // namespace truss::api
