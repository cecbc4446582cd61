#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>

/// Around Cereal's JSON archives.

namespace truss::peertool {

/// JSON as Cereal writes it, a line each value, on one line. Inside strings line ends are escaped.
inline std::string on_one_line(std::string json) {
  std::erase(json, '\n');
  return json + "\n";
}

/// What Cereal has against an archive, in one line.
inline std::string why(const std::exception& error) {
  std::string out = error.what();
  std::replace(out.begin(), out.end(), '\n', ' ');
  const std::size_t from = out.find("NVP (");
  const std::size_t to = out.find(") not found");
  if (from == std::string::npos || to == std::string::npos || to < from) return out;
  return "key `" + out.substr(from + 5, to - from - 5) + "` is missing";
}

/// How many objects and arrays lie within each other at most: Cereal's parser takes stack for each.
inline std::size_t nesting(const std::string& json) {
  std::size_t depth = 0;
  std::size_t most = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      most = std::max(most, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return most;
}
inline constexpr std::size_t kMostNesting = 32;

}  // namespace truss::peertool
