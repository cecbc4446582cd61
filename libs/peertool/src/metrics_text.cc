#include "metrics_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace truss::peertool {

/// Calls `body` with labels and value of each line `name{labels} value` or `name value`.
template <class Body>
void MetricsText::each_sample(const std::string& name, Body body) const {
  const std::string_view text = text_;
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    const std::string_view rest = line.substr(name.size());
    if ((at > 0 && text[at - 1] != '\n') || rest.empty()) continue;
    if (rest.front() != ' ' && rest.front() != '{') continue;
    const std::size_t blank = rest.rfind(' ');
    if (blank == std::string_view::npos) continue;
    const double value = std::strtod(std::string(rest.substr(blank + 1)).c_str(), nullptr);
    if (std::isfinite(value)) body(rest.substr(0, blank), value);
  }
}

std::optional<double> MetricsText::sum(const std::string& name) const {
  std::optional<double> out;
  each_sample(name, [&](std::string_view, double value) { out = out.value_or(0) + value; });
  return out;
}

CumulativeCounts MetricsText::buckets(const std::string& name) const {
  constexpr std::string_view kBound = "le=\"";
  CumulativeCounts out;
  each_sample(name + "_bucket", [&](std::string_view labels, double value) {
    const std::size_t at = labels.find(kBound);
    if (at == std::string_view::npos) return;
    const double bound =
        std::strtod(std::string(labels.substr(at + kBound.size())).c_str(), nullptr);
    if (!std::isnan(bound)) out[bound] += value;
  });
  return out;
}

CumulativeCounts growth(const CumulativeCounts& before, const CumulativeCounts& after) {
  if (count_of(before) > count_of(after)) return after;
  CumulativeCounts out = after;
  for (auto& [bound, count] : out) {
    const auto found = before.find(bound);
    if (found != before.end()) count = std::max(count - found->second, 0.0);
  }
  return out;
}

double count_of(const CumulativeCounts& counts) {
  return counts.empty() ? 0 : counts.rbegin()->second;
}

double quantile_of(const CumulativeCounts& counts, double share) {
  const double rank = share * count_of(counts);
  double low = 0;
  double below = 0;
  if (rank <= 0) return 0;
  for (const auto& [bound, count] : counts) {
    if (count >= rank) {
      if (std::isinf(bound)) return low;
      return count > below ? low + (bound - low) * (rank - below) / (count - below) : bound;
    }
    low = bound;
    below = count;
  }
  return low;
}

}  // namespace truss::peertool
