#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace truss::test_support {

/// Bytes of hex text; blanks and newlines are ignored.
inline std::string from_hex(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const std::size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos)
      throw std::invalid_argument("not hex: " + std::string(text));
    if (high < 0) {
      high = static_cast<int>(digit);
    } else {
      out += static_cast<char>(high * 16 + static_cast<int>(digit));
      high = -1;
    }
  }
  if (high >= 0) throw std::invalid_argument("odd number of hex digits");
  return out;
}

}  // namespace truss::test_support
