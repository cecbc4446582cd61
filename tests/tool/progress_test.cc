#include "truss/tool/progress.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace truss;
using namespace std::chrono_literals;

namespace {

class HandClock final : public Clock {
 public:
  MonoTime now() const override { return at; }
  WallTime wall() const override { return {}; }
  MonoTime at{};
};

}  // namespace

TEST_CASE("on a terminal a share shows after half a second, with the time that is left") {
  std::ostringstream out;
  std::ostringstream err;
  tool::Console console{out, err, true, true};
  HandClock clock;
  {
    tool::Progress progress(console, clock, true, "doctor", 0);
    clock.at += 400ms;
    progress.update_share(0.1);
    CHECK(err.str().empty());
    clock.at += 1600ms;
    progress.update_share(0.25);
    CHECK(err.str().ends_with("doctor: 25 %, 6 s left"));
    clock.at += 50ms;
    progress.update_share(0.9);
    CHECK(err.str().ends_with("25 %, 6 s left"));
  }
  CHECK(err.str().ends_with("\r\033[K"));
  CHECK(out.str().empty());
}

TEST_CASE("bytes show with their rate; without a terminal nothing does") {
  std::ostringstream err;
  HandClock clock;
  tool::Console console{err, err, true, true};
  tool::Progress progress(console, clock, true, "reading", 4u << 20);
  clock.at += 1s;
  progress.update(1u << 20);
  CHECK(err.str().ends_with("reading: 1.0 MiB of 4.0 MiB, 25 %, 1.0 MiB/s, 3 s left"));
  std::ostringstream quiet;
  tool::Console pipe{quiet, quiet, false, false};
  tool::Progress unseen(pipe, clock, true, "reading", 4u << 20);
  clock.at += 1s;
  unseen.update(1u << 20);
  CHECK(quiet.str().empty());
}
