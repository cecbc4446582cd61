#include "truss/peertool/compare.h"

#include <doctest/doctest.h>

#include "truss/common/random.h"

using namespace truss;
using namespace truss::peertool;

namespace {

Report report(std::int64_t centre_ns, std::uint64_t seed, std::size_t n = 20) {
  SeededRandom random(seed);
  std::vector<measure::Histogram> batches(n);
  for (auto& batch : batches) {
    for (int i = 0; i < 200; ++i) {
      batch.add(centre_ns + static_cast<std::int64_t>(random.below(50'000)));
    }
  }
  Report out;
  out.kind = "channels";
  out.series.push_back(series("message latency", "one way", batches, nullptr));
  return out;
}

}  // namespace

TEST_CASE("two runs alike are the same; a slower one is told, and a quicker one") {
  const Report base = report(1'000'000, 1);
  const auto same = compare(base, report(1'000'000, 2));
  REQUIRE(same.has_value());
  REQUIRE(same->differences.size() == 3);
  for (const Difference& d : same->differences) CHECK(d.verdict == "same");
  CHECK_FALSE(any_slower(*same));

  const auto slower = compare(base, report(1'300'000, 3));
  CHECK(any_slower(*slower));
  CHECK(slower->differences[0].ratio == doctest::Approx(1.29).epsilon(0.02));
  CHECK(slower->differences[0].ratio_95.low > 1.2);
  CHECK(compare(report(1'300'000, 3), base)->differences[0].verdict == "faster");
}

TEST_CASE("what is less than 5 % is no difference, however clear") {
  const auto near = compare(report(1'000'000, 1), report(1'030'000, 2));
  CHECK(near->differences[0].verdict == "same");
}

TEST_CASE("few batches, other kinds and other distributions are not compared") {
  CHECK(compare(report(1'000'000, 1, 2), report(2'000'000, 2, 2))->differences[0].verdict ==
        "too few");
  Report other = report(1'000'000, 1);
  other.kind = "heartbeat";
  CHECK(compare(report(1'000'000, 1), other).error().code == Code::kFailedPrecondition);
  Report renamed = report(1'000'000, 1);
  renamed.series[0].name = "else";
  CHECK(compare(report(1'000'000, 1), renamed).error().code == Code::kFailedPrecondition);
}

TEST_CASE("the comparison as JSON and text") {
  const auto c = compare(report(1'000'000, 1), report(1'300'000, 2));
  CHECK(render(*c, tool::Format::kJson).find("\"ratio_low_95\"") != std::string::npos);
  CHECK(render(*c, tool::Format::kText).find("slower") != std::string::npos);
}
