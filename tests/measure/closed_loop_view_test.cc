#include "truss/measure/closed_loop_view.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::measure;
using std::chrono::milliseconds;

TEST_CASE("one stall is one sample, and what fell due in it was never asked") {
  ClosedLoopView view;
  const MonoTime start{};
  view.add(start, start + milliseconds(1));
  view.add(start + milliseconds(10), start + milliseconds(1010));
  for (int i = 2; i <= 100; ++i) {
    view.add(start + milliseconds(10 * i), start + milliseconds(1011));
  }
  view.add(start + milliseconds(1020), start + milliseconds(1021));
  CHECK(view.latency().count() == 3);
  CHECK(view.latency().quantile(0.5) == doctest::Approx(1e6).epsilon(0.01));
  CHECK(view.latency().greatest() == 1'000'000'000);
}
