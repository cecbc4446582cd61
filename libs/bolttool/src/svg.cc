#include "svg.h"

#include <algorithm>
#include <cstdio>

namespace truss::bolttool {
namespace {

std::string number(double n) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", n);
  return text;
}

std::string escaped(const std::string& words) {
  std::string out;
  for (const char c : words) {
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  }
  return out;
}

}  // namespace

Svg::Svg(int width, int height) {
  const std::string w = std::to_string(width), h = std::to_string(height);
  body_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
          "\" viewBox=\"0 0 " + w + " " + h + "\" font-family=\"sans-serif\" font-size=\"12\">\n";
  rectangle(0, 0, width, height, "#ffffff");
}

void Svg::rectangle(double x, double y, double width, double height, const std::string& color) {
  body_ += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) +
           "\" height=\"" + number(height) + "\" fill=\"" + color + "\"/>\n";
}

void Svg::line(const std::vector<std::pair<double, double>>& points, const std::string& color) {
  body_ += "<polyline fill=\"none\" stroke=\"" + color + "\" stroke-width=\"1.5\" points=\"";
  for (const auto& [x, y] : points) body_ += number(x) + "," + number(y) + " ";
  body_ += "\"/>\n";
}

void Svg::text(double x, double y, const std::string& words, const char* anchor) {
  body_ += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
           escaped(words) + "</text>\n";
}

std::string draw_curves(const std::string& title, const std::string& x_name,
                        const std::vector<double>& x, const std::vector<Curve>& curves) {
  constexpr double kLeft = 110, kWidth = 640, kHeight = 130, kStep = 170;
  Svg svg(800, static_cast<int>(60 + kStep * static_cast<double>(curves.size())));
  svg.text(kLeft, 20, title);
  const double most_x = x.empty() ? 1 : std::max(x.back(), 1e-9);
  double top = 40;
  for (const Curve& curve : curves) {
    const double most = std::max(1e-9, curve.y.empty() ? 1.0 : *std::ranges::max_element(curve.y));
    svg.rectangle(kLeft, top, kWidth, kHeight, "#f4f4f4");
    std::vector<std::pair<double, double>> points;
    for (std::size_t i = 0; i < curve.y.size() && i < x.size(); ++i) {
      points.emplace_back(kLeft + kWidth * x[i] / most_x, top + kHeight * (1 - curve.y[i] / most));
    }
    svg.line(points, curve.color);
    svg.text(kLeft - 8, top + 12, number(most), "end");
    svg.text(kLeft - 8, top + kHeight, "0", "end");
    svg.text(kLeft + 6, top + 14, curve.name);
    svg.text(kLeft + kWidth, top + kHeight + 16, number(most_x) + " " + x_name, "end");
    top += kStep;
  }
  return svg.finish();
}

}  // namespace truss::bolttool
