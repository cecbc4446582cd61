// The channels of our own sink, driven for real.
#include "truss/peertool/rig.h"

#include <doctest/doctest.h>

#include "shared_connection.h"
#include "truss/peertool/channels.h"
#include "truss/peertool/heartbeat.h"
#include "truss/peertool/profile.h"

using namespace truss;
using namespace truss::peertool;
using namespace std::chrono_literals;

TEST_CASE("all four channels bring everything that was sent, and say how it fared") {
  ThreadRuntime runtime;
  const auto rig = make_self_rig(runtime, {});
  REQUIRE(rig.has_value());
  ChannelsOptions options;
  options.per_second = 500;
  options.warm_up = 100ms;
  options.duration = 600ms;
  options.saturation = 200ms;
  options.snapshot_bytes = 3'000'001;
  options.snapshots = 2;
  const auto report = measure_channels(**rig, options, {});
  REQUIRE(report.has_value());
  REQUIRE(report->channels.size() == 4);
  REQUIRE(report->series.size() == 4);
  for (const ChannelReport& channel : report->channels) {
    CAPTURE(channel.channel);
    CHECK(channel.driven);
    CHECK(channel.sent == channel.answered);
    CHECK(channel.unfinished == 0);
    CHECK(channel.dropped == 0);
    CHECK(channel.most_messages_per_second > 0);
    CHECK(channel.mb_per_second > 0);
  }
  CHECK(report->channels[0].sent == 300);
  CHECK(report->channels[1].queue_wait.count >= 300);
  CHECK(report->channels[2].sent == 30);
  CHECK(report->channels[3].sent == 2);
  CHECK(report->channels[3].message_bytes == 3'000'001);
  for (const Series& series : report->series) CHECK(series.latency.p50_us > 0);
}

TEST_CASE("stopped early, a report holds what was measured until then") {
  ThreadRuntime runtime;
  const auto rig = make_self_rig(runtime, {});
  REQUIRE(rig.has_value());
  ChannelsOptions options;
  options.warm_up = 0ms;
  options.duration = 10s;
  int ticks = 0;
  const auto report = measure_channels(**rig, options, [&](double) { return ++ticks < 4; });
  REQUIRE(report.has_value());
  CHECK(report->channels.size() == 1);
}

TEST_CASE("heartbeats are counted while snapshots pass, and on one connection with them") {
  ThreadRuntime runtime;
  const auto rig = make_self_rig(runtime, {.snapshot_bytes_per_second = 32u << 20});
  REQUIRE(rig.has_value());
  HeartbeatOptions options;
  options.snapshot_bytes = 8u << 20;
  options.interval = 2ms;
  options.least_gaps = 200;
  const auto report = measure_heartbeats(**rig, runtime, options, {});
  REQUIRE(report.has_value());
  const HeartbeatReport& h = report->heartbeat;
  CHECK(h.gaps >= 200);
  CHECK(h.transfers >= 1);
  CHECK(h.interval_ms == 2);
  // On a machine that is short of processors they come in bunches: the median says nothing there.
  CHECK(h.gap_max_ms > 1);
  CHECK(h.gap_p50_ms <= h.gap_p99_ms);
  CHECK(h.gap_p99_ms <= h.gap_p999_ms);
  CHECK(h.gap_p999_ms <= h.gap_max_ms);
  CHECK_FALSE(h.verdict.empty());
  REQUIRE(report->series.size() == 3);
  CHECK(report->series[2].latency.count >= 200);
  const std::string picture = svg(*report);
  CHECK(picture.find("</svg>") != std::string::npos);
  CHECK(picture.find("heartbeat gap during snapshots") != std::string::npos);
}

TEST_CASE("stopped before there were enough gaps, a run has no verdict") {
  ThreadRuntime runtime;
  const auto rig = make_self_rig(runtime, {});
  REQUIRE(rig.has_value());
  HeartbeatOptions options;
  options.one_connection = false;
  const auto report = measure_heartbeats(**rig, runtime, options, [](double) { return false; });
  REQUIRE(report.has_value());
  CHECK(report->heartbeat.verdict == "unknown");
}

TEST_CASE("a rig that is told to give up does") {
  ThreadRuntime runtime;
  RigOptions options;
  options.go_on = [] { return false; };
  options.through = [](const std::string&) { return std::string("http://127.0.0.1:1"); };
  const auto rig = make_self_rig(runtime, options);
  REQUIRE_FALSE(rig.has_value());
  CHECK(rig.error().code == Code::kCanceled);
}

TEST_CASE("on one connection a heartbeat waits for the whole snapshot before it") {
  ThreadRuntime runtime;
  const auto gaps = measure_shared_connection(runtime, 256u << 20, 1ms, 300, {});
  REQUIRE(gaps.has_value());
  CHECK(gaps->count() >= 300);
  // 256 MiB take far longer than three intervals on any machine.
  CHECK(gaps->all().greatest() > 10'000'000);
}

TEST_CASE("a mix drives its channels at once, at the rates asked for") {
  ThreadRuntime runtime;
  const auto rig = make_self_rig(runtime, {});
  REQUIRE(rig.has_value());
  MixOptions options;
  options.profile = {.name = "test",
                     .heartbeats_per_second = 100,
                     .appends_per_second = 500,
                     .posts_per_second = 50,
                     .append_sizes = {{100, 3}, {10'000, 1}}};
  options.warm_up = 100ms;
  options.duration = 1s;
  const auto report = measure_mix(**rig, options, {});
  REQUIRE(report.has_value());
  REQUIRE(report->channels.size() == 3);
  CHECK(report->channels[0].answered == 100);
  CHECK(report->channels[1].answered == report->channels[1].sent);
  CHECK(report->channels[1].sent > 380);
  CHECK(report->channels[1].sent < 620);
  CHECK(report->channels[2].answered == 50);
}
