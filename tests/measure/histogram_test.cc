#include "truss/measure/histogram.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "truss/common/random.h"

using namespace truss;
using namespace truss::measure;

TEST_CASE("quantiles agree with a sorted list to half a percent, over all magnitudes") {
  SeededRandom random(7);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(random.next() >> (20 + random.below(43)));
    values.push_back(value);
    histogram.add(value);
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000));
    const auto exact = static_cast<double>(values[rank == 0 ? 0 : rank - 1]);
    CAPTURE(share);
    CHECK(std::abs(histogram.quantile(share) - exact) <= exact * 0.005 + 0.5);
  }
  CHECK(histogram.count() == 20'000);
  CHECK(histogram.greatest() == static_cast<std::uint64_t>(values.back()));
}

TEST_CASE("an empty histogram and the ends of the range") {
  Histogram histogram;
  CHECK(histogram.quantile(0.5) == 0);
  CHECK(histogram.least() == 0);
  CHECK(histogram.mean() == 0);
  histogram.add(-5);
  CHECK(histogram.quantile(1) == 0);
  histogram.add(INT64_MAX);
  CHECK(histogram.count() == 2);
  CHECK(histogram.greatest() == static_cast<std::uint64_t>(INT64_MAX));
}

TEST_CASE("merging is adding, and buckets carry a histogram over") {
  Histogram a;
  Histogram b;
  Histogram both;
  for (std::int64_t i = 1; i < 5000; ++i) {
    (i % 3 == 0 ? a : b).add(i * i);
    both.add(i * i);
  }
  a.merge(b);
  CHECK(a.buckets() == both.buckets());
  CHECK(a.mean() == doctest::Approx(both.mean()));
  const Histogram copy = Histogram::from_buckets(a.buckets());
  CHECK(copy.buckets() == a.buckets());
  CHECK(copy.quantile(0.99) == doctest::Approx(a.quantile(0.99)).epsilon(0.005));
}

TEST_CASE("how many lie above a bound") {
  Histogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.add(std::chrono::milliseconds(i));
  CHECK(histogram.count_above(std::chrono::milliseconds(50)) >= 49);
  CHECK(histogram.count_above(std::chrono::milliseconds(50)) <= 50);
  CHECK(histogram.count_above(std::chrono::seconds(1)) == 0);
}
