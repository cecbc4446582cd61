#include "truss/common/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace truss {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> out{};
  for (auto& v : out) v = -1;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    out[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return out;
}
constexpr auto kValues = make_values();

Unexpected illegal(std::size_t at) {
  return fail(Code::kInvalidArgument, "illegal base64 data at input byte " + std::to_string(at));
}

// One group of up to four digits; `count` of them are real.
void append_group(std::string& out, const std::array<unsigned, 4>& digits, std::size_t count) {
  const unsigned word = digits[0] << 18 | digits[1] << 12 | digits[2] << 6 | digits[3];
  for (std::size_t i = 0; i + 1 < count; ++i) {
    out += static_cast<char>(word >> (16 - 8 * i));
  }
}

bool line_break(char c) { return c == '\r' || c == '\n'; }

// The first '=' stands at `at`, after `have` digits of its group; nothing but what completes the
// group may follow.
Result<> check_padding(ByteView text, std::size_t at, std::size_t have) {
  if (have < 2) return illegal(at);
  std::size_t next = at + 1;
  const auto skip_breaks = [&] {
    while (next < text.size() && line_break(text[next])) ++next;
  };
  if (have == 2) {
    skip_breaks();
    if (next == text.size()) return illegal(text.size());
    if (text[next] != '=') return illegal(at);
    ++next;
  }
  skip_breaks();
  if (next < text.size()) return illegal(next);
  return {};
}

// With `raw` there is no padding, and the last group may be short.
Result<std::string> decode(ByteView text, bool raw) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::array<unsigned, 4> digits{};
  std::size_t have = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (line_break(text[i])) continue;
    if (text[i] == '=' && !raw) {
      TRUSS_TRY(check_padding(text, i, have));
      append_group(out, digits, have);
      return out;
    }
    const auto value = kValues[static_cast<unsigned char>(text[i])];
    if (value < 0) return illegal(i);
    digits[have++] = static_cast<unsigned>(value);
    if (have == 4) {
      append_group(out, digits, 4);
      digits = {};
      have = 0;
    }
  }
  if (have == 1 || (have > 0 && !raw)) return illegal(text.size() - have);
  if (have > 0) append_group(out, digits, have);
  return out;
}

}  // namespace

std::string base64_encode(ByteView bytes) {
  std::string out = base64_encode_unpadded(bytes);
  while (out.size() % 4 != 0) out += '=';
  return out;
}

std::string base64_encode_unpadded(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k <= n; ++k) out += kAlphabet[word >> (18 - 6 * k) & 63];
  }
  return out;
}

Result<std::string> base64_decode(ByteView text) { return decode(text, false); }
Result<std::string> base64_decode_unpadded(ByteView text) { return decode(text, true); }

Result<std::string> base64_decode_lenient(ByteView text) {
  std::string standard(text);
  for (char& c : standard) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  while (!standard.empty() && standard.back() == '=') standard.pop_back();
  return base64_decode_unpadded(standard);
}

}  // namespace truss
