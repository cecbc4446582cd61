#include "truss/measure/resampling.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::measure;

namespace {

/// `n` batches of values around `centre`, the batches differing by up to `spread`.
std::vector<Histogram> batches(std::size_t n, std::int64_t centre, std::int64_t spread,
                               std::uint64_t seed) {
  SeededRandom random(seed);
  std::vector<Histogram> out(n);
  for (Histogram& batch : out) {
    const auto shift = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(spread)));
    for (int i = 0; i < 200; ++i) {
      batch.add(centre + shift + static_cast<std::int64_t>(random.below(1000)));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the interval of a median covers the truth about as often as it says") {
  int covered = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto runs = batches(20, 100'000, 10'000, seed);
    const Interval interval = quantile_interval(runs, 0.5, {.rounds = 200, .seed = seed});
    CHECK(interval.low < interval.high);
    covered += interval.contains(105'500) ? 1 : 0;
  }
  CHECK(covered >= 50);
}

TEST_CASE("batches that differ make the interval wider than samples alone would") {
  const Interval same = quantile_interval(batches(20, 100'000, 1, 1), 0.5);
  const Interval differing = quantile_interval(batches(20, 100'000, 20'000, 1), 0.5);
  CHECK(differing.high - differing.low > 5 * (same.high - same.low));
}

TEST_CASE("two runs alike have a ratio around one; twice as slow shows") {
  const auto a = batches(20, 100'000, 5000, 1);
  const auto b = batches(20, 100'000, 5000, 2);
  const auto slow = batches(20, 200'000, 5000, 3);
  CHECK(ratio_interval(a, b, 0.9).contains(1));
  const Interval ratio = ratio_interval(a, slow, 0.9);
  CHECK(ratio.low > 1.8);
  CHECK(ratio.high < 2.1);
  CHECK(ratio_interval(a, {}, 0.9) == Interval{});
}

TEST_CASE("the mean of few values by Student's distribution") {
  const std::vector<double> values = {10, 12, 14};
  const Interval interval = mean_interval(values);
  CHECK(interval.low == doctest::Approx(12 - 4.303 * 2 / 1.7320508).epsilon(0.001));
  CHECK(interval.high == doctest::Approx(12 + 4.303 * 2 / 1.7320508).epsilon(0.001));
  CHECK(mean_interval(std::vector<double>{3}) == Interval{3, 3});
}
