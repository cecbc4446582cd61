#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "truss/peertool/heartbeat.h"

namespace truss::peertool {
namespace {

constexpr double kLeft = 70;
constexpr double kRight = 780;
constexpr double kTop = 60;
constexpr double kBottom = 340;
constexpr std::array<const char*, 4> kColours = {"#1f77b4", "#d62728", "#7f7f7f", "#2ca02c"};
/// Rows of a histogram in an octave.
constexpr double kSteps = 4;

std::string number(double value) {
  std::array<char, 32> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), "%.1f", value);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

std::string label(double ns) {
  std::array<char, 32> buffer{};
  const char* format = ns < 1e3   ? "%.3g ns"
                       : ns < 1e6 ? "%.3g us"
                       : ns < 1e9 ? "%.3g ms"
                                  : "%.3g s";
  const double unit = ns < 1e3 ? 1 : ns < 1e6 ? 1e3 : ns < 1e9 ? 1e6 : 1e9;
  const int size = std::snprintf(buffer.data(), buffer.size(), format, ns / unit);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

/// Counts in steps of a quarter octave.
struct Curve {
  std::string name;
  int first = 0;
  std::vector<double> counts;
};

int step_of(std::uint64_t ns) {
  return static_cast<int>(
      std::floor(std::log2(static_cast<double>(std::max<std::uint64_t>(ns, 1))) * kSteps));
}

Curve curve_of(const Series& series) {
  measure::Histogram all;
  for (const measure::Histogram& batch : histograms(series)) all.merge(batch);
  Curve out{series.name, step_of(all.least()), {}};
  out.counts.resize(static_cast<std::size_t>(step_of(all.greatest()) - out.first + 1));
  for (const auto& bucket : all.buckets()) {
    const int at = std::max(step_of(bucket.low_ns) - out.first, 0);
    out.counts[std::min(static_cast<std::size_t>(at), out.counts.size() - 1)] +=
        static_cast<double>(bucket.count);
  }
  return out;
}

class Drawing {
 public:
  explicit Drawing(const std::vector<Curve>& curves) {
    for (const Curve& curve : curves) {
      low_ = std::min(low_, curve.first - 1);
      high_ = std::max(high_, curve.first + static_cast<int>(curve.counts.size()) + 1);
      for (const double count : curve.counts) most_ = std::max(most_, count);
    }
  }

  std::string axes() const {
    std::string out = line(kLeft, kBottom, kRight, kBottom) + line(kLeft, kTop, kLeft, kBottom);
    for (double decade = 1; decade < 1e12; decade *= 10) {
      const double step = std::log2(decade) * kSteps;
      if (step < low_ || step > high_) continue;
      out += line(x(step), kBottom, x(step), kBottom + 5);
      out += text(x(step), kBottom + 20, "middle", label(decade));
    }
    for (double count = 1; count <= most_; count *= 10) {
      out += line(kLeft - 5, y(count), kLeft, y(count));
      out +=
          text(kLeft - 8, y(count) + 4, "end", number(count).substr(0, number(count).size() - 2));
    }
    return out;
  }

  std::string draw(const Curve& curve, std::size_t which) const {
    const char* colour = kColours[which % kColours.size()];
    std::string points = at(curve.first, 0);
    for (std::size_t i = 0; i < curve.counts.size(); ++i) {
      points += at(curve.first + static_cast<int>(i), curve.counts[i]);
      points += at(curve.first + static_cast<int>(i) + 1, curve.counts[i]);
    }
    points += at(curve.first + static_cast<int>(curve.counts.size()), 0);
    const double row = kTop + 14 + 18 * static_cast<double>(which);
    return "<polygon points=\"" + points + "\" fill=\"" + colour +
           "\" fill-opacity=\"0.25\" stroke=\"" + colour + "\"/>\n<rect x=\"" +
           number(kRight - 370) + "\" y=\"" + number(row - 10) +
           "\" width=\"12\" height=\"12\" fill=\"" + colour + "\"/>\n" +
           text(kRight - 352, row, "start", curve.name);
  }

  static std::string text(double x, double y, const char* anchor, const std::string& words) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
           escaped(words) + "</text>\n";
  }

 private:
  double x(double step) const {
    return kLeft + (step - low_) / static_cast<double>(high_ - low_) * (kRight - kLeft);
  }
  double y(double count) const {
    const double share = count < 1 ? 0 : (std::log10(count) + 0.3) / (std::log10(most_) + 0.3);
    return kBottom - share * (kBottom - kTop);
  }
  std::string at(int step, double count) const {
    return number(x(step)) + "," + number(y(count)) + " ";
  }
  static std::string line(double x1, double y1, double x2, double y2) {
    return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
           "\" y2=\"" + number(y2) + "\" stroke=\"#333\"/>\n";
  }

  int low_ = 1 << 20;
  int high_ = 0;
  double most_ = 1;
};

}  // namespace

std::string svg(const Report& report) {
  std::vector<Curve> curves;
  for (const Series& s : report.series) {
    if (s.latency.count > 0) curves.push_back(curve_of(s));
  }
  const Drawing drawing(curves);
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"820\" height=\"400\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"820\" height=\"400\" "
      "fill=\"white\"/>\n" +
      Drawing::text(kLeft, 24, "start",
                    report.kind + ", " + report.subject + ", " + report.date +
                        (report.heartbeat.verdict.empty() ? "" : ": " + report.heartbeat.verdict)) +
      Drawing::text(kLeft, 42, "start", report.machine + " (count, by length; both logarithmic)");
  if (!curves.empty()) out += drawing.axes();
  for (std::size_t i = 0; i < curves.size(); ++i) out += drawing.draw(curves[i], i);
  return out + "</svg>\n";
}

}  // namespace truss::peertool
