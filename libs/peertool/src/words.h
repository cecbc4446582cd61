#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace truss::peertool {

/// What printf would print, 255 characters at most.
template <class... Values>
std::string text(const char* format, Values... values) {
  std::array<char, 256> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), format, values...);
  return {buffer.data(), static_cast<std::size_t>(std::clamp(size, 0, 255))};
}

/// Three digits that matter, with a unit that fits.
inline std::string time_text(double us) {
  if (us < 0) return "-";
  if (us < 1000) return text(us < 10 ? "%.2f us" : "%.0f us", us);
  if (us < 1e6) return text(us < 10e3 ? "%.2f ms" : us < 100e3 ? "%.1f ms" : "%.0f ms", us / 1e3);
  return text("%.2f s", us / 1e6);
}

}  // namespace truss::peertool
