#include "truss/peertool/doctor.h"

#include <algorithm>
#include <array>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "one_line.h"
#include "truss/tool/report.h"

namespace truss::peertool {

template <class Archive>
void serialize(Archive& archive, Check& c) {
  archive(cereal::make_nvp("name", c.name), cereal::make_nvp("verdict", c.verdict),
          cereal::make_nvp("value", c.value), cereal::make_nvp("limit", c.limit),
          cereal::make_nvp("advice", c.advice), cereal::make_nvp("severity", c.severity));
}

namespace {

/// Bounds of one measure: above `warn` a warning, above `fail` a failure.
struct Limit {
  double warn;
  double fail;
};
// etcd's own advice: 99 % of WAL syncs below 10 ms.
constexpr Limit kSyncMs{10, 50};
// A round trip has to fit into a heartbeat interval of the default 100 ms; jitter eats the reserve.
constexpr Limit kRoundTripMs{50, 500};
constexpr Limit kJitterMs{20, 200};
constexpr Limit kLossPercent{0.5, 5};
// etcd logs "high clock drift" above 1 s; leases and certificates rest on clocks.
constexpr Limit kClockMs{100, 1000};
constexpr Limit kStolenPercent{15, 40};
constexpr Limit kWakeUpMs{5, 50};
constexpr Limit kHypervisorPercent{5, 20};

constexpr double kMostElectionMs = 50'000;
/// A starved processor makes everything else look slow: others must be worse by this to be named.
constexpr double kStarvedFactor = 5;

double ms(double ns) { return ns / 1e6; }
double ms(Duration d) { return static_cast<double>(d.count()) / 1e6; }

template <class... Values>
std::string text(const char* format, Values... values) {
  std::array<char, 256> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), format, values...);
  return {buffer.data(), static_cast<std::size_t>(std::clamp(size, 0, 255))};
}

/// One of the measures of a check.
struct Measure {
  std::string name;
  double value;
  Limit limit;
  const char* unit;
};

/// The check shows the measure that is worst.
Check judge(std::string name, const std::vector<Measure>& measures, const std::string& advice) {
  const Measure* worst = &measures.front();
  std::string values;
  for (const Measure& m : measures) {
    if (m.value / m.limit.warn > worst->value / worst->limit.warn) worst = &m;
    values += (values.empty() ? "" : ", ") + m.name + text(" %.3g", m.value) + m.unit;
  }
  Check out{.name = std::move(name), .value = values};
  out.limit = worst->name + text(": warn above %.3g%s, fail above %.3g%s", worst->limit.warn,
                                 worst->unit, worst->limit.fail, worst->unit);
  out.severity = worst->value / worst->limit.warn;
  const Verdict verdict = worst->value > worst->limit.fail   ? Verdict::kFail
                          : worst->value > worst->limit.warn ? Verdict::kWarn
                                                             : Verdict::kPass;
  out.verdict = verdict_name(verdict);
  if (verdict != Verdict::kPass) out.advice = advice;
  return out;
}

Check judge_disk(const DiskFindings& disk) {
  Check out = judge("disk", {{"fdatasync p99", ms(disk.syncs.quantile(0.99)), kSyncMs, " ms"}},
                    "every write waits for this: give the WAL a disk of its own, or a quicker one");
  out.value += text(", p50 %.3g ms, longest %.3g ms, on %s, %s free", ms(disk.syncs.quantile(0.5)),
                    ms(static_cast<double>(disk.syncs.greatest())), disk.file_system.c_str(),
                    tool::human_bytes(disk.free_bytes).c_str());
  return out;
}

Check judge_network(const PeerFindings& peer) {
  const double p50 = ms(peer.round_trips.quantile(0.5));
  const double p99 = ms(peer.round_trips.quantile(0.99));
  const double lost = peer.sent == 0
                          ? 100
                          : 100 * static_cast<double>(peer.failed) / static_cast<double>(peer.sent);
  Check out =
      judge("network " + peer.url,
            {{"round trip p99", p99, kRoundTripMs, " ms"},
             {"jitter p99-p50", p99 - p50, kJitterMs, " ms"},
             {"lost", lost, kLossPercent, " %"}},
            "heartbeats and appends cross this link: look for loss, a full link or distance");
  if (!peer.error.empty()) out.advice += (out.advice.empty() ? "" : "; ") + peer.error;
  return out;
}

Check judge_clock(const PeerFindings& peer) {
  return judge("clock " + peer.url,
               {{"difference", std::abs(ms(*peer.clock_ahead)), kClockMs, " ms"}},
               "keep both clocks by NTP");
}

Check judge_processor(const ProcessorFindings& processor) {
  return judge("processor",
               {{"wanted and not got", processor.stolen * 100, kStolenPercent, " %"},
                {"wake-up p99", ms(processor.wake_up.quantile(0.99)), kWakeUpMs, " ms"},
                {"taken by the host", processor.hypervisor * 100, kHypervisorPercent, " %"}},
               "other work takes the processor: give the member processors of its own");
}

std::string bottleneck_of(const std::vector<Check>& checks) {
  const auto worse = [](const Check& a, const Check& b) { return a.severity < b.severity; };
  const auto worst = std::max_element(checks.begin(), checks.end(), worse);
  if (worst == checks.end() || worst->severity <= 1) return "none";
  const auto processor = std::find_if(checks.begin(), checks.end(),
                                      [](const Check& c) { return c.name == "processor"; });
  const bool starved = processor != checks.end() && processor->verdict != "pass";
  if (starved && worst->severity < processor->severity * kStarvedFactor) return processor->name;
  return worst->name;
}

double rounded_up(double value, double step) { return std::ceil(value / step - 1e-9) * step; }

/// Heartbeats at least 1.5 round trips apart; an election time-out of ten heartbeats that also
/// leaves room for ten round trips with a slow sync each.
void set_intervals(const Findings& findings, Diagnosis& out) {
  double round_trip = 0;
  for (const PeerFindings& peer : findings.peers) {
    round_trip = std::max(round_trip, ms(peer.round_trips.quantile(0.99)));
  }
  const double sync = findings.disk ? ms(findings.disk->syncs.quantile(0.999)) : 0;
  const double heartbeat = std::max(100.0, rounded_up(1.5 * round_trip, 10));
  const double election = std::max(10 * heartbeat, rounded_up(10 * (round_trip + sync), 100));
  out.election_timeout_ms = static_cast<std::uint64_t>(std::min(election, kMostElectionMs));
  out.heartbeat_interval_ms = static_cast<std::uint64_t>(std::min(heartbeat, kMostElectionMs / 10));
  out.flags = "--heartbeat-interval=" + std::to_string(out.heartbeat_interval_ms) +
              " --election-timeout=" + std::to_string(out.election_timeout_ms);
  out.reason = text("round trip p99 %.3g ms, fdatasync p99.9 %.3g ms; the same on every member",
                    round_trip, sync);
}

std::string json(Diagnosis diagnosis) {
  std::ostringstream out;
  {
    cereal::JSONOutputArchive archive(out, cereal::JSONOutputArchive::Options::NoIndent());
    archive(cereal::make_nvp("schema", diagnosis.schema), cereal::make_nvp("kind", diagnosis.kind),
            cereal::make_nvp("machine", diagnosis.machine),
            cereal::make_nvp("date", diagnosis.date), cereal::make_nvp("checks", diagnosis.checks),
            cereal::make_nvp("bottleneck", diagnosis.bottleneck),
            cereal::make_nvp("heartbeat_interval_ms", diagnosis.heartbeat_interval_ms),
            cereal::make_nvp("election_timeout_ms", diagnosis.election_timeout_ms),
            cereal::make_nvp("flags", diagnosis.flags),
            cereal::make_nvp("reason", diagnosis.reason));
  }
  return on_one_line(out.str());
}

}  // namespace

std::string verdict_name(Verdict verdict) {
  return verdict == Verdict::kPass ? "pass" : verdict == Verdict::kWarn ? "warn" : "fail";
}

Diagnosis diagnose(const Findings& findings) {
  Diagnosis out;
  if (findings.disk) out.checks.push_back(judge_disk(*findings.disk));
  for (const PeerFindings& peer : findings.peers) {
    out.checks.push_back(judge_network(peer));
    if (peer.clock_ahead) out.checks.push_back(judge_clock(peer));
  }
  out.checks.push_back(judge_processor(findings.processor));
  out.bottleneck = bottleneck_of(out.checks);
  set_intervals(findings, out);
  return out;
}

Verdict worst(const Diagnosis& diagnosis) {
  Verdict out = Verdict::kPass;
  for (const Check& check : diagnosis.checks) {
    if (check.verdict == "fail") return Verdict::kFail;
    if (check.verdict == "warn") out = Verdict::kWarn;
  }
  return out;
}

std::string render(const Diagnosis& diagnosis, tool::Format format) {
  if (format == tool::Format::kJson) return json(diagnosis);
  tool::Table table(
      {{"", "verdict"}, {"check", "name"}, {"measured", "value"}, {"limit", "limit"}});
  for (const Check& c : diagnosis.checks) table.add({c.verdict, c.name, c.value, c.limit});
  std::string out = diagnosis.machine + "\n\n" + table.render(format) + "\n";
  for (const Check& c : diagnosis.checks) {
    if (!c.advice.empty()) out += c.name + ": " + c.advice + "\n";
  }
  out += "bottleneck: " + diagnosis.bottleneck + "\n";
  return out + "set: " + diagnosis.flags + "\n     (" + diagnosis.reason + ")\n";
}

}  // namespace truss::peertool
