#include "truss/net/grpc_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "truss/common/base64.h"
#include "truss/common/text.h"

namespace truss::net {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

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

std::string decode_grpc_message(std::string_view text) { return percent_decode(text); }

Result<Duration> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2) return bad_timeout("string is too short: " + quoted(text));
  if (text.size() > 9) return bad_timeout("string is too long: " + quoted(text));
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const TimeUnit& u) { return u.letter == text.back(); });
  if (unit == kUnits.end()) return bad_timeout("unit is not recognized: " + quoted(text));
  std::int64_t count = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return bad_timeout("is not a number: " + quoted(text));
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
  return text.size() % 4 == 0 ? base64_decode(text) : base64_decode_unpadded(text);
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

}  // namespace truss::net
