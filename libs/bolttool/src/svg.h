#pragma once

#include <string>
#include <utility>
#include <vector>

namespace truss::bolttool {

/// A picture in SVG, made of rectangles, lines and words. Units: pixels.
class Svg {
 public:
  Svg(int width, int height);
  void rectangle(double x, double y, double width, double height, const std::string& color);
  void line(const std::vector<std::pair<double, double>>& points, const std::string& color);
  void text(double x, double y, const std::string& words, const char* anchor = "start");
  /// The whole document.
  std::string finish() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

/// One curve over the same x as its neighbours.
struct Curve {
  std::string name;
  std::string color;
  std::vector<double> y;
};
/// Curves one below the other, each with its own scale from 0.
std::string draw_curves(const std::string& title, const std::string& x_name,
                        const std::vector<double>& x, const std::vector<Curve>& curves);

}  // namespace truss::bolttool
