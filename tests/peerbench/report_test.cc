#include "truss/peertool/report.h"

#include <doctest/doctest.h>

#include "truss/common/random.h"

using namespace truss;
using namespace truss::peertool;

namespace {

std::vector<measure::Histogram> batches() {
  SeededRandom random(1);
  std::vector<measure::Histogram> out(10);
  for (auto& batch : out) {
    for (int i = 0; i < 100; ++i) {
      batch.add(static_cast<std::int64_t>(1'000'000 + random.below(100'000)));
    }
  }
  return out;
}

Report sample(const std::string& kind) {
  SystemClock clock;
  Report out = new_report(kind, "self", clock);
  out.command = "peerbench " + kind;
  out.series.push_back(series("message latency", "one way", batches(), nullptr));
  out.channels.push_back({.channel = "message", .driven = true, .sent = 1000});
  out.heartbeat.interval_ms = 10;
  out.heartbeat.gaps = 2345;
  out.heartbeat.gap_p999_ms = 11.5;
  out.heartbeat.gap_max_ms = 12.5;
  out.heartbeat.verdict = "unaffected";
  return out;
}

}  // namespace

TEST_CASE("a report comes back from its JSON as it was") {
  for (const char* kind : {"channels", "heartbeat", "mix", "target", "limits"}) {
    const Report report = sample(kind);
    const std::string json = to_json(report);
    const auto back = from_json(json, "r.json");
    REQUIRE(back.has_value());
    CHECK(to_json(*back) == json);
    CHECK(back->series[0].latency.p50_us == doctest::Approx(1050).epsilon(0.01));
    CHECK(histograms(back->series[0])[3].count() == 100);
  }
}

TEST_CASE("the keys of a heartbeat report that others build on") {
  const std::string json = to_json(sample("heartbeat"));
  for (const char* key : {"\"schema\": \"truss.peerbench.1\"", "\"kind\": \"heartbeat\"",
                          "\"interval_ms\": 10.0", "\"gaps\": 2345", "\"gap_p999_ms\": 11.5",
                          "\"gap_max_ms\": 12.5", "\"verdict\": \"unaffected\""}) {
    CAPTURE(key);
    CHECK(json.find(key) != std::string::npos);
  }
  CHECK(to_json(sample("channels")).find("\"gaps\"") == std::string::npos);
}

TEST_CASE("what is no report is said to be none") {
  for (const char* text :
       {"", "{", "[]", "{\"schema\": 1}", "{\"schema\": \"truss.peerbench.1\"}"}) {
    const auto report = from_json(text, "r.json");
    REQUIRE_FALSE(report.has_value());
    CHECK(report.error().code == Code::kCorruption);
    CHECK(report.error().message.find("r.json") == 0);
  }
  Report nonsense = sample("channels");
  nonsense.series[0].batches[0].counts[0] = UINT64_MAX;
  CHECK(from_json(to_json(nonsense), "r.json").error().code == Code::kCorruption);
  CHECK(from_json(std::string(100'000, '['), "r.json").error().code == Code::kCorruption);
  const auto doctor =
      from_json(R"({"schema": "truss.peerbench.1", "kind": "doctor", "checks": []})", "r.json");
  CHECK(doctor.error().code == Code::kFailedPrecondition);
  Report other = sample("channels");
  other.schema = "truss.peerbench.2";
  CHECK(from_json(to_json(other), "r.json").error().message.find("truss.peerbench.1") !=
        std::string::npos);
}

TEST_CASE("text names channel, figures and judgement") {
  const std::string text = render(sample("channels"), tool::Format::kText);
  for (const char* part : {"message latency", "p99.99", "95 % confidence", "steady"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(render(sample("heartbeat"), tool::Format::kText).find("verdict: unaffected") !=
        std::string::npos);
  for (const char* kind : {"channels", "heartbeat", "mix", "target", "limits"}) {
    CAPTURE(kind);
    CHECK(render(sample(kind), tool::Format::kTable).find("+--") != std::string::npos);
    CHECK(render(sample(kind), tool::Format::kText).find("+--") == std::string::npos);
  }
}
