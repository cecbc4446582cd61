#include "truss/peer/probe.h"

#include <cstdio>
#include <optional>

#include "json.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr std::size_t kMaxProbeBytes = 4u << 10;
constexpr int kRttWeight = 8;

/// The digits at the front of `text`, between `least` and `most` of them, taken off.
std::optional<std::uint64_t> take_digits(std::string_view& text, std::size_t least,
                                         std::size_t most) {
  std::size_t count = 0;
  while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  if (count < least) return std::nullopt;
  const auto value = parse_decimal(text.substr(0, count));
  text.remove_prefix(count);
  return value;
}

bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// `07:25` or, with seconds, `07:25:55`.
std::optional<Duration> take_clock(std::string_view& text, bool with_seconds) {
  const auto hours = take_digits(text, 2, 2);
  if (!hours || *hours > 24 || !take_char(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  Duration time = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  if (!with_seconds) return time;
  if (!take_char(text, ':')) return std::nullopt;
  const auto seconds = take_digits(text, 2, 2);
  if (!seconds || *seconds > 60) return std::nullopt;
  return time + std::chrono::seconds(*seconds);
}

/// The part after the seconds: `.586175972`.
std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take_char(text, '.')) return Duration{};
  const std::size_t before = text.size();
  const auto digits = take_digits(text, 1, 9);
  if (!digits) return std::nullopt;
  auto count = static_cast<std::int64_t>(*digits);
  for (std::size_t n = before - text.size(); n < 9; ++n) count *= 10;
  return Duration(count);
}

/// `Z`, `+02:00`: what to subtract.
std::optional<Duration> take_zone(std::string_view& text) {
  if (take_char(text, 'Z')) return Duration{};
  const bool east = text.starts_with('+');
  if (!take_char(text, '+') && !take_char(text, '-')) return std::nullopt;
  const auto offset = take_clock(text, false);
  if (!offset) return std::nullopt;
  return east ? *offset : -*offset;
}

std::optional<sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4, 4);
  if (!year || !take_char(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2, 2);
  if (!month || !take_char(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // What 64 bits of nanoseconds can hold.
  if (!date.ok() || *year < 1700 || *year > 2260) return std::nullopt;
  return sys_days(date);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take_char(text, 'T')) return std::nullopt;
  const auto time = take_clock(text, true);
  if (!time) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return WallTime(*date) + *time + *fraction - *zone;
}

/// As Go's RFC3339Nano: without zeros at the end of the fraction.
std::string rfc3339(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Duration> clock(time - day);
  char text[64];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  std::string out = text;
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out + "Z";
}

}  // namespace

std::string probe_json(WallTime now) { return "{\"OK\":true,\"Now\":\"" + rfc3339(now) + "\"}\n"; }

Result<ProbeAnswer> parse_probe_json(std::string_view text) {
  TRUSS_ASSIGN(const auto document, parse_json(text, kMaxProbeBytes));
  const auto ok = json_bool(document, "OK");
  const auto now = json_string(document, "Now");
  if (!ok || !now) return fail(Code::kInvalidArgument, "probe: OK or Now is missing");
  const auto time = parse_rfc3339(*now);
  if (!time) return fail(Code::kInvalidArgument, "probe: malformed time");
  return ProbeAnswer{*ok, *time};
}

void ProbeStatus::record(MonoTime sent, MonoTime got, WallTime wall, const ProbeAnswer& answer) {
  const Duration rtt = got - sent;
  rtt_ = rtt_ == Duration{} ? rtt : rtt_ + (rtt - rtt_) / kRttWeight;
  clock_difference_ = wall - answer.now - rtt_ / 2;
  healthy_ = true;
  last_error_.clear();
}

void ProbeStatus::record_failure(std::string why) {
  healthy_ = false;
  last_error_ = std::move(why);
}

}  // namespace truss::peer
