#include "go_args.h"

#include <cmath>
#include <limits>
#include <optional>

#include "truss/common/bytes.h"

namespace truss::member {
namespace {

Unexpected bad(std::string text) { return fail(Code::kInvalidArgument, std::move(text)); }
Unexpected syntax() { return bad("parse error"); }

std::optional<unsigned> digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// Takes the base prefix off; underscores are allowed only after one.
unsigned take_base(std::string_view& text, bool& underscores) {
  underscores = true;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    const unsigned base = mark == 'x' ? 16 : mark == 'b' ? 2 : mark == 'o' ? 8 : 0;
    text.remove_prefix(base ? 2 : 1);
    return base ? base : 8;
  }
  underscores = false;
  return 10;
}

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},        {"h", 3600e9}};

// Takes `12.5` off the front.
std::optional<long double> take_decimal(std::string_view& text) {
  long double value = 0;
  long double scale = 1;
  bool any = false;
  bool fraction = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      value = value * 10 + (c - '0');
      if (fraction) scale *= 10;
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  if (!any) return std::nullopt;
  return value / scale;
}

std::optional<double> take_unit(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] != '.' &&
         !(text[length] >= '0' && text[length] <= '9')) {
    ++length;
  }
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return unit.nanoseconds;
  }
  return std::nullopt;
}

}  // namespace

Result<GoArgs> read_go_args(const std::vector<std::string>& words,
                            const std::function<FlagKind(std::string_view)>& kind_of) {
  GoArgs out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word.size() < 2 || word[0] != '-') {
      out.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      return out;
    }
    word.remove_prefix(word[1] == '-' ? 2 : 1);
    if (word.empty()) {
      out.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      return out;
    }
    if (word[0] == '-' || word[0] == '=') return bad("bad flag syntax: " + words[i]);
    const auto equals = word.find('=');
    std::string name(word.substr(0, equals));
    const FlagKind kind = kind_of(name);
    if (kind == FlagKind::kUnknown) {
      if (name == "help" || name == "h") return out.help = true, out;
      return bad("flag provided but not defined: -" + name);
    }
    std::string value = "true";
    if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else if (kind == FlagKind::kValue) {
      if (i + 1 == words.size()) return bad("flag needs an argument: -" + name);
      value = words[++i];
    }
    out.flags.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

Result<bool> parse_go_bool(std::string_view text) {
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return syntax();
}

Result<std::uint64_t> parse_go_uint(std::string_view text) {
  if (text.empty()) return syntax();
  if (text == "0") return 0;
  bool underscores = false;
  const unsigned base = take_base(text, underscores);
  if (text.empty()) return syntax();
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c == '_' && underscores) continue;
    const auto digit = digit_of(c);
    if (!digit || *digit >= base) return syntax();
    if (value > (std::numeric_limits<std::uint64_t>::max() - *digit) / base) {
      return bad("value out of range");
    }
    value = value * base + *digit;
  }
  return value;
}

Result<std::int64_t> parse_go_int(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  TRUSS_ASSIGN(const std::uint64_t value, parse_go_uint(text));
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value > most + (negative ? 1 : 0)) return bad("value out of range");
  return negative ? static_cast<std::int64_t>(~value + 1) : static_cast<std::int64_t>(value);
}

Result<std::int64_t> parse_go_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return syntax();
  long double total = 0;
  while (!text.empty()) {
    const auto number = take_decimal(text);
    const auto unit = number ? take_unit(text) : std::nullopt;
    if (!unit) return syntax();
    total += *number * static_cast<long double>(*unit);
    if (total >= 9223372036854775808.0L) return syntax();
  }
  const auto nanoseconds = static_cast<std::int64_t>(total);
  return negative ? -nanoseconds : nanoseconds;
}

}  // namespace truss::member
