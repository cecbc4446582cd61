#include "truss/peertool/doctor.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::peertool;
using namespace std::chrono_literals;

namespace {

measure::Histogram all(Duration value, int n = 200) {
  measure::Histogram out;
  out.add(value.count(), static_cast<std::uint64_t>(n));
  return out;
}

/// A quick disk, a near peer and a free processor.
Findings good() {
  Findings out;
  out.disk = DiskFindings{.file_system = "ext4", .syncs = all(300us), .free_bytes = 1u << 30};
  out.peers.push_back({.url = "http://a:2380",
                       .round_trips = all(400us),
                       .sent = 200,
                       .clock_ahead = 200us,
                       .clock_error = 200us});
  out.processor = {.stolen = 0.01, .wake_up = all(100us)};
  return out;
}

const Check& check_of(const Diagnosis& diagnosis, const std::string& name) {
  for (const Check& check : diagnosis.checks) {
    if (check.name == name) return check;
  }
  FAIL(name);
  return diagnosis.checks.front();
}

}  // namespace

TEST_CASE("a good machine passes, and keeps etcd's default intervals") {
  const Diagnosis found = diagnose(good());
  CHECK(worst(found) == Verdict::kPass);
  CHECK(found.bottleneck == "none");
  CHECK(found.flags == "--heartbeat-interval=100 --election-timeout=1000");
  CHECK(found.checks.size() == 4);
  for (const Check& check : found.checks) CHECK(check.advice.empty());
}

TEST_CASE("a slow disk is named, and warns before it fails") {
  Findings findings = good();
  findings.disk->syncs = all(20ms);
  Diagnosis found = diagnose(findings);
  CHECK(found.bottleneck == "disk");
  CHECK(check_of(found, "disk").verdict == "warn");
  findings.disk->syncs = all(80ms);
  found = diagnose(findings);
  CHECK(check_of(found, "disk").verdict == "fail");
  CHECK(found.checks[0].value.find("80") != std::string::npos);
  CHECK(found.checks[0].limit.find("fail above 50 ms") != std::string::npos);
}

TEST_CASE("a lossy link is named") {
  Findings findings = good();
  findings.peers[0].round_trips.add(Duration(220ms).count(), 10);
  Diagnosis found = diagnose(findings);
  CHECK(found.bottleneck == "network http://a:2380");
  findings.peers[0].failed = 40;
  CHECK(check_of(diagnose(findings), "network http://a:2380").verdict == "fail");
}

TEST_CASE("a processor that others take is named, not what it makes look slow") {
  Findings findings = good();
  findings.processor = {.stolen = 0.5, .wake_up = all(12ms)};
  findings.disk->syncs = all(15ms);
  findings.peers[0].round_trips = all(60ms);
  CHECK(diagnose(findings).bottleneck == "processor");
  findings.disk->syncs = all(400ms);  // too slow to be explained by that
  CHECK(diagnose(findings).bottleneck == "disk");
}

TEST_CASE("apply and channels of a member are judged, and named if no cause is found") {
  Findings findings = good();
  findings.members.push_back({.name = "s1",
                              .seconds = 10,
                              .not_applied = 900,
                              .applied = 1000,
                              .sync = {.count = 500, .p99_ms = 2},
                              .commit = {.count = 500, .p99_ms = 4}});
  findings.members.push_back({.name = "s2", .error = "https is not spoken"});
  Diagnosis found = diagnose(findings);
  CHECK(check_of(found, "apply of s1").verdict == "warn");
  CHECK(check_of(found, "channels of s1").verdict == "pass");
  CHECK(check_of(found, "disk of s1").verdict == "pass");
  CHECK(found.bottleneck == "apply of s1");
  REQUIRE(found.notes.size() == 1);
  CHECK(found.notes[0].find("s2 not looked at: https") != std::string::npos);
  findings.members[0].sync.p99_ms = 12;
  CHECK(diagnose(findings).bottleneck == "disk of s1");
  findings = good();
  findings.members.push_back({.name = "s3", .seconds = 10, .late_heartbeats = 30});
  CHECK(diagnose(findings).bottleneck == "channels of s3");
}

TEST_CASE("what was not tested is said") {
  Findings findings;
  findings.processor = good().processor;
  const Diagnosis found = diagnose(findings);
  CHECK(found.checks.size() == 1);
  CHECK(found.notes.size() == 2);
  CHECK(found.reason.find("round trip p99 not measured") == 0);
}

TEST_CASE("clocks apart are told by peer") {
  Findings findings = good();
  findings.peers[0].clock_ahead = -1500ms;
  const Diagnosis found = diagnose(findings);
  CHECK(check_of(found, "clock http://a:2380").verdict == "fail");
  CHECK(found.bottleneck == "none");  // nothing is slower for it
}

TEST_CASE("a peer that never answers fails, and its clock is not judged") {
  Findings findings = good();
  findings.peers[0] = {.url = "http://b:2380", .sent = 100, .failed = 100, .error = "refused"};
  const Diagnosis found = diagnose(findings);
  CHECK(check_of(found, "network http://b:2380").verdict == "fail");
  CHECK(check_of(found, "network http://b:2380").advice.find("refused") != std::string::npos);
  CHECK(check_of(found, "network http://b:2380").value == "lost 100 %");
  CHECK(found.checks.size() == 3);
  CHECK(found.reason.find("round trip p99 not measured") == 0);
}

TEST_CASE("intervals grow with the round trip and the disk, up to etcd's limit") {
  Findings findings = good();
  findings.peers[0].round_trips = all(150ms);
  Diagnosis found = diagnose(findings);
  CHECK(found.heartbeat_interval_ms >= 220);
  CHECK(found.heartbeat_interval_ms <= 240);
  CHECK(found.election_timeout_ms == 10 * found.heartbeat_interval_ms);
  findings = good();
  findings.disk->syncs = all(300ms);
  found = diagnose(findings);
  CHECK(found.heartbeat_interval_ms == 100);
  CHECK(found.election_timeout_ms >= 3000);
  findings.peers[0].round_trips = all(20s);
  CHECK(diagnose(findings).election_timeout_ms == 50'000);
}

TEST_CASE("the diagnosis as JSON") {
  const std::string json = render(diagnose(good()), tool::Format::kJson);
  for (const char* key :
       {"\"checks\"", "\"bottleneck\": \"none\"", "\"heartbeat_interval_ms\": 100",
        "\"election_timeout_ms\": 1000", "\"verdict\": \"pass\"",
        "\"measures\": [{\"name\": \"fdatasync p99\",\"value\": 300", "\"unit\": \"us\"",
        "\"notes\": ["}) {
    CAPTURE(key);
    CHECK(json.find(key) != std::string::npos);
  }
}
