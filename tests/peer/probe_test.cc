#include "truss/peer/probe.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::peer;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST_CASE("a real member's answer is read and written") {
  const std::string text = "{\"OK\":true,\"Now\":\"2026-11-22T07:25:55.586175972Z\"}\n";
  const auto answer = parse_probe_json(text);
  REQUIRE(answer.has_value());
  CHECK(answer->ok);
  CHECK(answer->now == WallTime(seconds(1795332355) + nanoseconds(586175972)));
  CHECK(probe_json(answer->now) == text);
  CHECK(probe_json(WallTime(seconds(0))) == "{\"OK\":true,\"Now\":\"1970-01-01T00:00:00Z\"}\n");
  CHECK(probe_json(WallTime(milliseconds(500))) ==
        "{\"OK\":true,\"Now\":\"1970-01-01T00:00:00.5Z\"}\n");
}

TEST_CASE("local times carry their zone") {
  const auto at = [](const std::string& time) {
    return parse_probe_json(R"({"OK":true,"Now":")" + time + "\"}").value().now;
  };
  CHECK(at("1970-01-01T02:00:00+02:00") == WallTime());
  CHECK(at("1969-12-31T16:30:00.25-07:30") == WallTime(milliseconds(250)));
}

TEST_CASE("garbage is no answer") {
  for (const char* bad :
       {"", "{}", "[]", R"({"OK":true})", R"({"OK":1,"Now":"1970-01-01T00:00:00Z"})",
        R"({"OK":true,"Now":"1970-01-01 00:00:00Z"})",
        R"({"OK":true,"Now":"1970-13-01T00:00:00Z"})",
        R"({"OK":true,"Now":"1970-02-30T00:00:00Z"})", R"({"OK":true,"Now":"1970-01-01T00:00:00"})",
        R"({"OK":true,"Now":"1970-01-01T00:00:00.Z"})",
        R"({"OK":true,"Now":"9999-01-01T00:00:00Z"})",
        R"({"OK":true,"Now":"1970-01-01T00:00:00Zx"})"}) {
    CHECK_MESSAGE(!parse_probe_json(bad), bad);
  }
  CHECK_FALSE(parse_probe_json(std::string(5000, ' ') + "{}"));
}

TEST_CASE("round trips are averaged and the clocks compared") {
  ProbeStatus status;
  CHECK_FALSE(status.healthy());
  const MonoTime sent(seconds(100));
  const WallTime wall(seconds(1000));
  status.record(sent, sent + milliseconds(8), wall, {true, wall - seconds(2)});
  CHECK(status.healthy());
  CHECK(status.smoothed_rtt() == milliseconds(8));
  CHECK(status.clock_difference() == seconds(2) - milliseconds(4));
  status.record(sent, sent + milliseconds(16), wall, {true, wall});
  CHECK(status.smoothed_rtt() == milliseconds(9));
  status.record_failure("no route");
  CHECK_FALSE(status.healthy());
  CHECK(status.last_error() == "no route");
}
