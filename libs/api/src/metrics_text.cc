#include "metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>

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
  line(family(name, help, type), name, labels, {}, go_float(value));
}

void MetricsText::line(std::string& out, std::string_view name, Labels labels,
                       std::string_view bound, std::string_view value) {
  out += name;
  char separator = '{';
  const auto append = [&](std::string_view label, std::string_view text) {
    out += separator;
    out += label;
    out += "=\"";
    append_label_value(out, text);
    out += '"';
    separator = ',';
  };
  for (const auto& [label, text] : labels) append(label, text);
  if (!bound.empty()) append("le", bound);
  if (separator == ',') out += '}';
  out += ' ';
  out += value;
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
                            const DurationCounts::Sample& durations, Labels labels, Duration unit) {
  std::string& out = family(name, help, "histogram");
  const std::string n(name);
  const auto in_units = [&](Duration d) {
    return static_cast<double>(d.count()) / static_cast<double>(unit.count());
  };
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < durations.bounds; ++i) {
    count += durations.counts[i];
    const double bound = std::ldexp(in_units(durations.first), static_cast<int>(i));
    line(out, n + "_bucket", labels, go_float(bound), std::to_string(count));
  }
  count += durations.counts[durations.bounds];
  line(out, n + "_bucket", labels, "+Inf", std::to_string(count));
  line(out, n + "_sum", labels, {},
       go_float(durations.sum_seconds * in_units(std::chrono::seconds(1))));
  line(out, n + "_count", labels, {}, std::to_string(count));
}

std::string MetricsText::text() const {
  std::string out;
  for (const auto& [name, block] : families_) out += block;
  return out;
}

}  // namespace truss::api
