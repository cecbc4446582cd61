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

std::string time_left(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, ", %.0f s left", seconds);
  return text;
}

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

bool Progress::due() {
  if (!shown_) return false;
  const MonoTime now = clock_.now();
  if (now < next_) return false;
  next_ = now + kInterval;
  return true;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(clock_.now() - start_).count();
}

void Progress::draw(const std::string& line) {
  drawn_ = true;
  console_.err << kWipe << line << std::flush;
}

std::string Progress::line(std::uint64_t done_bytes) const {
  const double rate = static_cast<double>(done_bytes) / seconds();
  std::string out = what_ + ": " + human_bytes(done_bytes);
  if (total_bytes_ > 0) {
    out += " of " + human_bytes(total_bytes_) + ", " +
           std::to_string(std::min<std::uint64_t>(done_bytes * 100 / total_bytes_, 100)) + " %";
  }
  out += ", " + human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
  if (total_bytes_ > done_bytes && rate > 0) {
    out += time_left(static_cast<double>(total_bytes_ - done_bytes) / rate);
  }
  return out;
}

void Progress::update(std::uint64_t done_bytes) {
  if (due()) draw(line(done_bytes));
}

void Progress::update_share(double done) {
  if (!due()) return;
  done = std::clamp(done, 0.0, 1.0);
  std::string out = what_ + ": " + std::to_string(static_cast<int>(done * 100)) + " %";
  if (done > 0) out += time_left(seconds() * (1 - done) / done);
  draw(out);
}

}  // namespace truss::tool
