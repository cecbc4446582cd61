#include "doctor_probes.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "delay_proxy.h"
#include "local_stub.h"
#include "station.h"
#include "truss/peertool/target.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::peertool;
using namespace truss::peertool::testing;
using namespace std::chrono_literals;

namespace {

class Nobody final : public peer::Sink {
 public:
  void receive(raft::Message) override {}
  void report_unreachable(raft::NodeId) override {}
  void report_snapshot(raft::NodeId, bool) override {}
  void removed() override {}
};

/// Something that answers on a peer port.
struct Answering {
  Answering() : station(runtime, logger, "answers", {}) {
    REQUIRE(station.listen().has_value());
    station.local().set({"3.4.23", "3.4.0", std::nullopt}, "[]");
    station.start({.self = raft::NodeId(1),
                   .cluster = peer::ClusterId(2),
                   .server_version = "3.4.23",
                   .peer_urls = {station.url()}},
                  nobody);
  }
  ~Answering() { station.stop(); }

  ThreadRuntime runtime;
  NullLogger logger;
  Nobody nobody;
  Station station;
};

timespec modified(const std::string& path) {
  struct stat info {};
  ::stat(path.c_str(), &info);
  return info.st_mtim;
}

}  // namespace

TEST_CASE("the disk's test leaves the directory as it was, its times included") {
  test_support::TempDir dir;
  PosixFileSystem files;
  REQUIRE(files.open(dir / "db", {.write = true, .create = true}).has_value());
  const timespec before = modified(dir.path());
  const auto found = probe_disk(*std::make_unique<SystemClock>(), dir.path(), 300ms);
  REQUIRE(found.has_value());
  CHECK(found->syncs.count() >= 5);
  CHECK_FALSE(found->file_system.empty());
  CHECK(files.list(dir.path()).value() == std::vector<std::string>{"db"});
  const timespec after = modified(dir.path());
  CHECK(before.tv_sec == after.tv_sec);
  CHECK(before.tv_nsec == after.tv_nsec);
}

TEST_CASE("no such directory is said, not made") {
  test_support::TempDir dir;
  SystemClock clock;
  const auto found = probe_disk(clock, dir / "absent", 100ms);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == Code::kNotFound);
  PosixFileSystem files;
  CHECK(files.list(dir.path()).value().empty());
}

TEST_CASE("round trips and clocks of peers; one that isn't there is lost") {
  Answering there;
  const DelayProxy slow(there.station.url(), 10ms);
  const std::string nowhere = "http://127.0.0.1:1";
  const auto found =
      probe_peers(there.runtime, {there.station.url(), slow.url(), nowhere}, 1s, 500ms);
  REQUIRE(found.size() == 3);
  CHECK(found[0].failed == 0);
  CHECK(found[0].round_trips.count() == 20);
  REQUIRE(found[0].clock_ahead.has_value());
  CHECK(std::chrono::abs(*found[0].clock_ahead) < 50ms);
  CHECK(found[1].round_trips.quantile(0.5) / 1e6 > 19.5);
  CHECK(found[2].failed == found[2].sent);
  CHECK_FALSE(found[2].error.empty());
  CHECK_FALSE(found[2].clock_ahead.has_value());
}

TEST_CASE("a link that loses packets, each sent again after 200 ms, is what the doctor names") {
  Answering there;
  DelayProxy lossy(there.station.url(), 0ms);
  lossy.stall_every(20, 200ms);
  Findings findings;
  findings.processor.wake_up.add(100'000);
  findings.peers = probe_peers(there.runtime, {lossy.url()}, 2s, 1s);
  const Diagnosis found = diagnose(findings);
  CHECK(found.bottleneck == "network " + lossy.url());
  CHECK(found.checks.front().severity > 5);
}

TEST_CASE("the doctor ends as soon as it is told to") {
  test_support::TempDir dir;
  Answering there;
  DoctorOptions options{.data_dir = dir.path(), .peers = {there.station.url()}, .duration = 60s};
  int ticks = 0;
  const auto found = examine(there.runtime, options, [&](double) { return ++ticks < 5; });
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == Code::kCanceled);
  CHECK(ticks == 5);
}

TEST_CASE("the processor's test sees a wake-up for every turn") {
  SystemClock clock;
  const ProcessorFindings found = probe_processor(clock, 300ms);
  CHECK(found.wake_up.count() >= 3);
  CHECK(found.stolen >= 0);
  CHECK(found.stolen <= 1);
}

TEST_CASE("a live target is asked, not driven, and the channels are named") {
  Answering there;
  const auto report = measure_target(
      there.runtime, {.url = there.station.url(), .per_second = 50, .duration = 400ms}, {});
  REQUIRE(report.has_value());
  CHECK(report->kind == "target");
  REQUIRE(report->channels.size() == 4);
  for (const ChannelReport& channel : report->channels) {
    CHECK_FALSE(channel.driven);
    CHECK_FALSE(channel.note.empty());
  }
  CHECK(there.station.transport().counters().received_messages == 0);
  REQUIRE(report->series.size() == 2);
  CHECK(report->series[0].latency.count >= 15);
  CHECK(measure_target(there.runtime, {.url = "https://h:1"}, {}).error().code ==
        Code::kInvalidArgument);
  CHECK(measure_target(there.runtime, {.url = "http://127.0.0.1:1"}, {}).error().code ==
        Code::kUnavailable);
}
