#include "metrics_text.h"

#include <doctest/doctest.h>

#include <limits>

using namespace truss::api;

TEST_CASE("metrics: numbers print as Go prints them") {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {1, "1"},
      {0.001, "0.001"},
      {999999, "999999"},
      {1e6, "1e+06"},
      {2147483648.0, "2.147483648e+09"},
      {1.5, "1.5"},
      {0.00005, "5e-05"},
      {-3, "-3"},
      {1572864, "1.572864e+06"},
      {std::numeric_limits<double>::infinity(), "+Inf"}};
  for (const auto& [value, text] : cases) CHECK(go_float(value) == text);
}

TEST_CASE("metrics: families by name, labels escaped") {
  MetricsText out;
  out.gauge("b", "Second.", 2);
  out.counter("a", "First.", 1, {{"x", "q\"\\\n"}, {"y", "z"}});
  out.counter("a", "First.", 3, {{"x", "p"}, {"y", "z"}});
  CHECK(out.text() ==
        "# HELP a First.\n# TYPE a counter\na{x=\"q\\\"\\\\\\n\",y=\"z\"} 1\na{x=\"p\",y=\"z\"} 3\n"
        "# HELP b Second.\n# TYPE b gauge\nb 2\n");
}
