#include "truss/peertool/doctor.h"

#include <algorithm>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cmath>
#include <sstream>

#include "one_line.h"
#include "truss/tool/report.h"
#include "words.h"

namespace truss::peertool {

template <class Archive>
void serialize(Archive& archive, Measure& m) {
  archive(cereal::make_nvp("name", m.name), cereal::make_nvp("value", m.value),
          cereal::make_nvp("unit", m.unit), cereal::make_nvp("warn", m.warn),
          cereal::make_nvp("fail", m.fail));
}

template <class Archive>
void serialize(Archive& archive, Check& c) {
  archive(cereal::make_nvp("name", c.name), cereal::make_nvp("verdict", c.verdict),
          cereal::make_nvp("value", c.value), cereal::make_nvp("limit", c.limit),
          cereal::make_nvp("advice", c.advice), cereal::make_nvp("severity", c.severity),
          cereal::make_nvp("measures", c.measures));
}

namespace {

/// Bounds of one measure: above `warn` a warning, above `fail` a failure.
struct Limit {
  double warn;
  double fail;
};
constexpr double kMs = 1000;  // measures are in microseconds
// etcd's own advice: 99 % of WAL syncs below 10 ms, of backend commits below 25 ms.
constexpr Limit kSync{10 * kMs, 50 * kMs};
constexpr Limit kCommit{25 * kMs, 250 * kMs};
// A round trip has to fit into a heartbeat interval of the default 100 ms; jitter eats the reserve.
constexpr Limit kRoundTrip{50 * kMs, 500 * kMs};
constexpr Limit kJitter{20 * kMs, 200 * kMs};
constexpr Limit kLossPercent{0.5, 5};
// etcd logs "high clock drift" above 1 s; leases and certificates rest on clocks.
constexpr Limit kClock{100 * kMs, 1000 * kMs};
constexpr Limit kStolenPercent{15, 40};
constexpr Limit kWakeUp{5 * kMs, 50 * kMs};
constexpr Limit kHypervisorPercent{5, 20};
// etcd refuses requests when 5000 committed entries wait to be applied.
constexpr Limit kNotApplied{500, 5000};
constexpr Limit kSlowAppliesPercent{1, 10};
constexpr Limit kDroppedPerSecond{1, 20};
constexpr Limit kLateHeartbeatsPerSecond{0.1, 2};
constexpr Limit kLeaderChanges{0.5, 2.5};

constexpr double kMostElectionMs = 50'000;
/// A starved processor makes everything else look slow: others must be worse by this to be named.
constexpr double kStarvedFactor = 5;

double us(double ns) { return ns / 1e3; }
double us(Duration d) { return static_cast<double>(d.count()) / 1e3; }
double ms(double ns) { return ns / 1e6; }

Measure measure_of(std::string name, double value, std::string unit, Limit limit) {
  return {std::move(name), value, std::move(unit), limit.warn, limit.fail};
}

std::string amount(double value, const std::string& unit) {
  if (unit == "us") return time_text(value);
  if (unit.empty()) return text("%.0f", value);
  return text("%.3g", value) + (unit == "%" ? " %" : unit);
}

std::string bound(double value, const std::string& unit) {
  return unit == "us" ? text("%.4g ms", value / kMs) : amount(value, unit);
}

/// The check's limit is that of the measure that is worst.
Check judge(std::string name, std::vector<Measure> measures, const std::string& advice) {
  const auto severity = [](const Measure& m) { return m.value / m.warn; };
  Check out{.name = std::move(name)};
  const Measure* worst = &measures.front();
  for (const Measure& m : measures) {
    if (severity(m) > severity(*worst)) worst = &m;
    out.value += (out.value.empty() ? "" : ", ") + m.name + " " + amount(m.value, m.unit);
  }
  out.limit = worst->name + ": warn above " + bound(worst->warn, worst->unit) + ", fail above " +
              bound(worst->fail, worst->unit);
  out.severity = severity(*worst);
  const Verdict verdict = worst->value > worst->fail   ? Verdict::kFail
                          : worst->value > worst->warn ? Verdict::kWarn
                                                       : Verdict::kPass;
  out.verdict = verdict_name(verdict);
  if (verdict != Verdict::kPass) out.advice = advice;
  out.measures = std::move(measures);
  return out;
}

constexpr const char* kDiskAdvice =
    "every write waits for this: give the WAL a disk of its own, or a quicker one";

Check judge_disk(const DiskFindings& disk) {
  Check out =
      judge("disk", {measure_of("fdatasync p99", us(disk.syncs.quantile(0.99)), "us", kSync)},
            kDiskAdvice);
  out.value += ", p50 " + time_text(us(disk.syncs.quantile(0.5))) + ", longest " +
               time_text(us(static_cast<double>(disk.syncs.greatest()))) + ", on " +
               disk.file_system + ", " + tool::human_bytes(disk.free_bytes) + " free";
  return out;
}

Check judge_network(const PeerFindings& peer) {
  const double p50 = us(peer.round_trips.quantile(0.5));
  const double p99 = us(peer.round_trips.quantile(0.99));
  const double lost = peer.sent == 0
                          ? 100
                          : 100 * static_cast<double>(peer.failed) / static_cast<double>(peer.sent);
  std::vector<Measure> measures = {measure_of("lost", lost, "%", kLossPercent)};
  if (!peer.round_trips.empty()) {
    measures.push_back(measure_of("round trip p99", p99, "us", kRoundTrip));
    measures.push_back(measure_of("jitter p99-p50", p99 - p50, "us", kJitter));
  }
  Check out =
      judge("network " + peer.url, std::move(measures),
            "heartbeats and appends cross this link: look for loss, a full link or distance");
  if (!peer.error.empty()) out.advice += (out.advice.empty() ? "" : "; ") + peer.error;
  return out;
}

Check judge_clock(const PeerFindings& peer) {
  return judge("clock " + peer.url,
               {measure_of("difference", std::abs(us(*peer.clock_ahead)), "us", kClock)},
               "keep both clocks by NTP");
}

Check judge_processor(const ProcessorFindings& processor) {
  return judge(
      "processor",
      {measure_of("wanted and not got", processor.stolen * 100, "%", kStolenPercent),
       measure_of("wake-up p99", us(processor.wake_up.quantile(0.99)), "us", kWakeUp),
       measure_of("taken by the host", processor.hypervisor * 100, "%", kHypervisorPercent)},
      "other work takes the processor: give the member processors of its own");
}

/// What a member says of its own disk, of what it applies and of what it sends.
void judge_member(const MemberFindings& member, Diagnosis& out) {
  const auto add = [&](Check check, const SelfReported& from) {
    if (from.count > 0 && from.since_start) check.value += " (since its start)";
    out.checks.push_back(std::move(check));
  };
  const double seconds = std::max(member.seconds, 1e-3);
  if (member.sync.count > 0) {
    add(judge("disk of " + member.name,
              {measure_of("WAL sync p99", member.sync.p99_ms * kMs, "us", kSync)}, kDiskAdvice),
        member.sync);
  }
  // One of five that was slow is no share.
  const double slow = member.applied < 100 ? 0 : 100 * member.slow_applies / member.applied;
  std::vector<Measure> apply = {
      measure_of("committed, not applied", member.not_applied, "", kNotApplied),
      measure_of("slow", std::min(slow, 100.0), "%", kSlowAppliesPercent)};
  if (member.commit.count > 0) {
    apply.push_back(measure_of("backend commit p99", member.commit.p99_ms * kMs, "us", kCommit));
  }
  add(judge("apply of " + member.name, std::move(apply),
            "what is committed waits to be applied: look for large ranges and transactions, a "
            "large database, or a slow disk below it"),
      member.commit);
  add(judge("channels of " + member.name,
            {measure_of("dropped", member.dropped / seconds, "/s", kDroppedPerSecond),
             measure_of("late heartbeats", member.late_heartbeats / seconds, "/s",
                        kLateHeartbeatsPerSecond),
             measure_of("leader changes", member.leader_changes, "", kLeaderChanges)},
            "messages to its peers don't leave in time: a peer is gone, or this member is "
            "overloaded"),
      {});
}

bool is_cause(const Check& check) {
  return check.name == "processor" || check.name.starts_with("disk") ||
         check.name.starts_with("network ");
}

/// The worst cause. Apply and channels suffer from those, so they are named only if none is found;
/// clocks hold nothing back.
std::string bottleneck_of(const std::vector<Check>& checks) {
  const Check* cause = nullptr;
  const Check* sufferer = nullptr;
  const Check* processor = nullptr;
  for (const Check& check : checks) {
    if (check.name == "processor") processor = &check;
    if (check.severity <= 1 || check.name.starts_with("clock ")) continue;
    const Check*& worst = is_cause(check) ? cause : sufferer;
    if (worst == nullptr || check.severity > worst->severity) worst = &check;
  }
  if (cause == nullptr) return sufferer == nullptr ? "none" : sufferer->name;
  const bool starved = processor != nullptr && processor->verdict != "pass";
  if (starved && cause->severity < processor->severity * kStarvedFactor) return processor->name;
  return cause->name;
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
  const auto shown = [](bool known, double value) {
    return known ? time_text(value * kMs) : std::string("not measured");
  };
  out.reason = "round trip p99 " + shown(round_trip > 0, round_trip) + ", fdatasync p99.9 " +
               shown(findings.disk.has_value(), sync) + "; the same on every member";
}

std::vector<std::string> left_out(const Findings& findings) {
  std::vector<std::string> out;
  if (!findings.disk) out.push_back("disk not tested: --data-dir names a directory on it");
  if (findings.peers.empty()) {
    out.push_back("network, clocks, apply and channels not looked at: --peers names the others");
  } else if (findings.members.empty()) {
    out.push_back("apply and channels not looked at: no peer names the members");
  }
  for (const MemberFindings& member : findings.members) {
    if (member.error.empty()) continue;
    out.push_back("apply and channels of " + member.name + " not looked at: " + member.error);
  }
  return out;
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
            cereal::make_nvp("reason", diagnosis.reason),
            cereal::make_nvp("notes", diagnosis.notes));
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
  for (const MemberFindings& member : findings.members) {
    if (member.error.empty()) judge_member(member, out);
  }
  out.notes = left_out(findings);
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
  for (const std::string& note : diagnosis.notes) out += note + "\n";
  out += "bottleneck: " + diagnosis.bottleneck + "\n";
  return out + "set: " + diagnosis.flags + "\n     (" + diagnosis.reason + ")\n";
}

}  // namespace truss::peertool
