#include "truss/measure/steadiness.h"

#include <doctest/doctest.h>

#include "truss/common/random.h"

using namespace truss;
using namespace truss::measure;

namespace {

std::vector<double> noise(std::size_t n, std::uint64_t seed) {
  SeededRandom random(seed);
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(100 + static_cast<double>(random.below(11)));
  return out;
}

}  // namespace

TEST_CASE("noise around one value is steady, for nearly every seed") {
  int steady = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    steady += judge_steadiness(noise(20, seed)).steady ? 1 : 0;
  }
  CHECK(steady >= 198);
}

TEST_CASE("a drift of half as much again is seen") {
  std::vector<double> values = noise(20, 5);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += 2.5 * static_cast<double>(i);
  const Steadiness found = judge_steadiness(values);
  CHECK_FALSE(found.steady);
  CHECK(found.drift > 0.2);
  CHECK(found.trend_probability < 0.001);
}

TEST_CASE("a warm-up is found where it ends, and a long one is not steady") {
  std::vector<double> values = noise(20, 6);
  for (std::size_t i = 0; i < 3; ++i) values[i] *= 5;
  CHECK(warm_up_length(values) == 3);
  CHECK(judge_steadiness(values).still_warming == 3);
  for (std::size_t i = 0; i < 8; ++i) values[i] *= 5;
  CHECK_FALSE(judge_steadiness(values).steady);
}

TEST_CASE("one frozen batch among many is an outlier, no trend") {
  std::vector<double> values = noise(20, 8);
  values[11] = 100'000;
  CHECK(judge_steadiness(values).steady);
}

TEST_CASE("too little to judge is not steady; all equal is") {
  CHECK_FALSE(judge_steadiness(std::vector<double>{1, 1, 1}).steady);
  CHECK(judge_steadiness(std::vector<double>(10, 7.0)).steady);
  CHECK(trend_probability({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) < 0.001);
}
