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
  auto it = families_.find(name);
  if (it == families_.end()) {
    const std::string n(name);
    it = families_
             .emplace(n, "# HELP " + n + " " + std::string(help) + "\n# TYPE " + n + " " +
                             std::string(type) + "\n")
             .first;
  }
  std::string& out = it->second;
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

std::string MetricsText::text() const {
  std::string out;
  for (const auto& [name, block] : families_) out += block;
  return out;
}

}  // namespace truss::api
