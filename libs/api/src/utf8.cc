#include "utf8.h"

#include <array>

namespace truss::api {

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

std::size_t utf8_length(ByteView in) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned code = 0;
  if ((first & 0xe0) == 0xc0) length = 2, code = first & 0x1f;
  if ((first & 0xf0) == 0xe0) length = 3, code = first & 0x0f;
  if ((first & 0xf8) == 0xf0) length = 4, code = first & 0x07;
  if (length == 0 || in.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    code = (code << 6) | (at(i) & 0x3f);
  }
  static constexpr std::array<unsigned, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code >= kLeast[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

bool valid_utf8(ByteView in) {
  while (!in.empty()) {
    const std::size_t length = utf8_length(in);
    if (length == 0) return false;
    in.remove_prefix(length);
  }
  return true;
}

}  // namespace truss::api
