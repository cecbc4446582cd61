#include "truss/net/grpc_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace truss::net {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

struct TimeUnit {
  char letter;
  std::int64_t nanoseconds;
};
constexpr std::array<TimeUnit, 6> kUnits = {{{'n', 1},
                                             {'u', 1'000},
                                             {'m', 1'000'000},
                                             {'S', 1'000'000'000},
                                             {'M', 60'000'000'000},
                                             {'H', 3'600'000'000'000}}};
constexpr std::int64_t kMaxTimeoutDigits = 99'999'999;

Unexpected bad_timeout(std::string why) {
  return fail(Code::kInternal, "malformed grpc-timeout: transport: timeout " + std::move(why));
}

}  // namespace

std::string encode_grpc_message(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string decode_grpc_message(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                        hex_value(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<Duration> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2) return bad_timeout("string is too short: " + go_quoted(text));
  if (text.size() > 9) return bad_timeout("string is too long: " + go_quoted(text));
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const TimeUnit& u) { return u.letter == text.back(); });
  if (unit == kUnits.end()) return bad_timeout("unit is not recognized: " + go_quoted(text));
  std::int64_t count = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return bad_timeout("is not a number: " + go_quoted(text));
    count = count * 10 + (c - '0');
  }
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / unit->nanoseconds;
  return Duration(std::min(count, most) * unit->nanoseconds);
}

std::string format_grpc_timeout(Duration timeout) {
  const std::int64_t total = timeout.count();
  if (total <= 0) return "0n";
  for (const TimeUnit& unit : kUnits) {
    const std::int64_t count = total / unit.nanoseconds + (total % unit.nanoseconds != 0 ? 1 : 0);
    if (count <= kMaxTimeoutDigits) return std::to_string(count) + unit.letter;
  }
  return std::to_string(kMaxTimeoutDigits) + "H";
}

Result<std::string> decode_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return fail(Code::kInternal, "illegal base64 data: bad length");
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = base64_value(text[i]);
    if (value < 0) {
      return fail(Code::kInternal, "illegal base64 data at input byte " + std::to_string(i));
    }
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xff);
  }
  return out;
}

std::string encode_base64_unpadded(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 4 / 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += kBase64[(bits >> count) & 63];
    }
  }
  if (count > 0) out += kBase64[(bits << (6 - count)) & 63];
  return out;
}

bool parse_grpc_content_type(std::string_view text, std::string_view& subtype) {
  constexpr std::string_view kBase = "application/grpc";
  subtype = {};
  if (text.size() < kBase.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (std::size_t i = 0; i < kBase.size(); ++i) {
    if (lower(text[i]) != kBase[i]) return false;
  }
  if (text.size() == kBase.size()) return true;
  const char separator = text[kBase.size()];
  if (separator != '+' && separator != ';') return false;
  if (separator == '+') subtype = text.substr(kBase.size() + 1);
  return true;
}

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += "0123456789abcdef"[byte >> 4];
      out += "0123456789abcdef"[byte & 15];
    }
  }
  return out + '"';
}

}  // namespace truss::net
