#include "durations.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>

namespace truss::peerbench {
namespace {

struct Unit {
  const char* name;
  double factor;
};

constexpr std::array<Unit, 5> kTimes = {
    {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
constexpr std::array<Unit, 8> kSizes = {{{"", 1},
                                         {"B", 1},
                                         {"K", 1024.0},
                                         {"KiB", 1024.0},
                                         {"M", 1048576.0},
                                         {"MiB", 1048576.0},
                                         {"G", 1073741824.0},
                                         {"GiB", 1073741824.0}}};
constexpr double kDay = 24 * 3600e9;
constexpr double kTebi = 1099511627776.0;

/// The number times its unit; negative if it is neither.
template <std::size_t N>
double parse(const std::string& text, const std::array<Unit, N>& units) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(number >= 0)) return -1;
  for (const Unit& unit : units) {
    if (std::string(end) == unit.name) return number * unit.factor;
  }
  return -1;
}

}  // namespace

Result<Duration> parse_duration(const std::string& text) {
  const double ns = parse(text, kTimes);
  if (ns >= 1 && ns <= kDay) return Duration(static_cast<std::int64_t>(ns));
  return fail(Code::kInvalidArgument, "`" + text + "` is no time like 250us, 10ms, 1.5s or 2m");
}

Result<std::uint64_t> parse_bytes(const std::string& text) {
  const double bytes = parse(text, kSizes);
  if (bytes >= 1 && bytes <= kTebi) return static_cast<std::uint64_t>(bytes);
  return fail(Code::kInvalidArgument, "`" + text + "` is no size like 4096, 64MiB or 1GiB");
}

Result<double> parse_rate(const std::string& text) {
  char* end = nullptr;
  const double rate = std::strtod(text.c_str(), &end);
  const bool whole = end != text.c_str() && *end == '\0';
  if (whole && rate >= 0.1 && rate <= 1e6) return rate;
  return fail(Code::kInvalidArgument, "`" + text + "` is no rate from 0.1 to 1000000 a second");
}

Result<std::uint64_t> parse_count(const std::string& text, Bounds bounds) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= bounds.least && value <= bounds.most) {
    return value;
  }
  return fail(Code::kInvalidArgument, "`" + text + "` is no number from " +
                                          std::to_string(bounds.least) + " to " +
                                          std::to_string(bounds.most));
}

Result<std::string> parse_url(const std::string& text) {
  std::string url = text;
  while (url.ends_with('/')) url.pop_back();
  const std::string scheme = "http://";
  const std::size_t colon = url.rfind(':');
  const bool plain = url.starts_with(scheme) && url.find('/', scheme.size()) == std::string::npos &&
                     colon > scheme.size();
  if (plain && parse_count(url.substr(colon + 1), {1, 65535})) return url;
  return fail(Code::kInvalidArgument,
              "`" + text + "` is no URL like http://10.0.0.1:2380 (TLS is not spoken here)");
}

Result<std::vector<std::string>> parse_urls(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) {
    TRUSS_ASSIGN(out.emplace_back(), parse_url(word));
  }
  if (out.empty()) return fail(Code::kInvalidArgument, "no URL in `" + text + "`");
  return out;
}

}  // namespace truss::peerbench
