#include "truss/peertool/compare.h"

#include <algorithm>
#include <array>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cmath>
#include <sstream>

#include "one_line.h"
#include "truss/measure/resampling.h"
#include "truss/tool/report.h"

namespace truss::peertool {

template <class Archive>
void serialize(Archive& archive, Difference& d) {
  archive(cereal::make_nvp("name", d.name), cereal::make_nvp("quantile", d.quantile),
          cereal::make_nvp("earlier_us", d.earlier_us), cereal::make_nvp("later_us", d.later_us),
          cereal::make_nvp("ratio", d.ratio), cereal::make_nvp("ratio_low_95", d.ratio_95.low),
          cereal::make_nvp("ratio_high_95", d.ratio_95.high),
          cereal::make_nvp("verdict", d.verdict));
}

namespace {

constexpr double kWorthTelling = 0.05;
constexpr std::size_t kFewestBatches = 4;

struct Quantile {
  const char* name;
  double share;
  double Figures::*field;
};
constexpr std::array<Quantile, 3> kQuantiles = {{{"p50", 0.5, &Figures::p50_us},
                                                 {"p99", 0.99, &Figures::p99_us},
                                                 {"p99.9", 0.999, &Figures::p999_us}}};

std::string verdict_of(const Difference& d) {
  const bool clear = d.ratio_95.low > 1 || d.ratio_95.high < 1;
  if (!clear || std::abs(d.ratio - 1) <= kWorthTelling) return "same";
  return d.ratio > 1 ? "slower" : "faster";
}

Difference difference(const Series& earlier, const Series& later, const Quantile& quantile) {
  Difference out{.name = earlier.name, .quantile = quantile.name};
  out.earlier_us = earlier.latency.*quantile.field;
  out.later_us = later.latency.*quantile.field;
  out.ratio = out.earlier_us > 0 ? out.later_us / out.earlier_us : 0;
  if (earlier.batches.size() < kFewestBatches || later.batches.size() < kFewestBatches) {
    out.verdict = "too few";
    return out;
  }
  const auto interval =
      measure::ratio_interval(histograms(earlier), histograms(later), quantile.share);
  out.ratio_95 = {interval.low, interval.high};
  out.verdict = verdict_of(out);
  return out;
}

std::string json(Comparison comparison) {
  std::ostringstream out;
  {
    cereal::JSONOutputArchive archive(out, cereal::JSONOutputArchive::Options::NoIndent());
    archive(
        cereal::make_nvp("schema", comparison.schema), cereal::make_nvp("kind", comparison.kind),
        cereal::make_nvp("earlier", comparison.earlier),
        cereal::make_nvp("later", comparison.later), cereal::make_nvp("notes", comparison.notes),
        cereal::make_nvp("differences", comparison.differences));
  }
  return on_one_line(out.str());
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace

Result<Comparison> compare(const Report& earlier, const Report& later) {
  if (earlier.kind != later.kind) {
    return fail(Code::kFailedPrecondition, "can't compare a report of `" + earlier.kind +
                                               "` with one of `" + later.kind + "`");
  }
  Comparison out;
  out.earlier = earlier.subject + ", " + earlier.date;
  out.later = later.subject + ", " + later.date;
  if (earlier.machine != later.machine) out.notes.push_back("the machines differ");
  for (const Series& before : earlier.series) {
    const auto after = std::find_if(later.series.begin(), later.series.end(),
                                    [&](const Series& s) { return s.name == before.name; });
    if (after == later.series.end() || before.latency.count == 0) continue;
    if (!before.steady || !after->steady) {
      out.notes.push_back(before.name + ": not steady in both runs, so read it with care");
    }
    for (const Quantile& q : kQuantiles) out.differences.push_back(difference(before, *after, q));
  }
  if (out.differences.empty()) {
    return fail(Code::kFailedPrecondition, "the reports have no distribution in common");
  }
  return out;
}

bool any_slower(const Comparison& comparison) {
  return std::any_of(comparison.differences.begin(), comparison.differences.end(),
                     [](const Difference& d) { return d.verdict == "slower"; });
}

std::string render(const Comparison& comparison, tool::Format format) {
  if (format == tool::Format::kJson) return json(comparison);
  tool::Table table({{"distribution", "name"},
                     {"quantile", "quantile"},
                     {"earlier us", "earlierUs"},
                     {"later us", "laterUs"},
                     {"ratio", "ratio"},
                     {"from", "low"},
                     {"to (95 %)", "high"},
                     {"verdict", "verdict"}});
  for (const Difference& d : comparison.differences) {
    table.add({d.name, d.quantile, rounded(d.earlier_us), rounded(d.later_us), rounded(d.ratio),
               rounded(d.ratio_95.low), rounded(d.ratio_95.high), d.verdict});
  }
  std::string out = "earlier: " + comparison.earlier + "\nlater:   " + comparison.later + "\n\n" +
                    table.render(format);
  for (const std::string& note : comparison.notes) out += note + "\n";
  return out;
}

}  // namespace truss::peertool
