#pragma once

#include <algorithm>
#include <string>

namespace truss::peertool {

/// JSON as Cereal writes it, a line each value, on one line. Inside strings line ends are escaped.
inline std::string on_one_line(std::string json) {
  std::erase(json, '\n');
  return json + "\n";
}

}  // namespace truss::peertool
