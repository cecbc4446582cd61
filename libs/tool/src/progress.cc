#include "truss/tool/progress.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "truss/tool/report.h"

namespace truss::tool {
namespace {

constexpr Duration kPatience = std::chrono::milliseconds(500);
constexpr Duration kInterval = std::chrono::milliseconds(100);
constexpr const char* kWipe = "\r\033[K";

}  // namespace

Progress::Progress(Console& console, const Clock& clock, bool wanted, std::string what,
                   std::uint64_t total_bytes)
    : console_(console),
      clock_(clock),
      shown_(wanted && console.err_is_tty),
      what_(std::move(what)),
      total_bytes_(total_bytes),
      start_(clock.now()),
      next_(start_ + kPatience) {}

Progress::~Progress() {
  if (drawn_) console_.err << kWipe << std::flush;
}

std::string Progress::line(std::uint64_t done_bytes, double seconds) const {
  const double rate = static_cast<double>(done_bytes) / seconds;
  std::string out = what_ + ": " + human_bytes(done_bytes);
  if (total_bytes_ > 0) {
    out += " of " + human_bytes(total_bytes_) + ", " +
           std::to_string(std::min<std::uint64_t>(done_bytes * 100 / total_bytes_, 100)) + " %";
  }
  out += ", " + human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
  if (total_bytes_ > done_bytes && rate > 0) {
    char left[32];
    std::snprintf(left, sizeof left, ", %.0f s left",
                  static_cast<double>(total_bytes_ - done_bytes) / rate);
    out += left;
  }
  return out;
}

void Progress::update(std::uint64_t done_bytes) {
  if (!shown_) return;
  const MonoTime now = clock_.now();
  if (now < next_) return;
  next_ = now + kInterval;
  drawn_ = true;
  console_.err << kWipe << line(done_bytes, std::chrono::duration<double>(now - start_).count())
               << std::flush;
}

}  // namespace truss::tool
