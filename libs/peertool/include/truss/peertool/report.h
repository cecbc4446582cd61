#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/measure/histogram.h"
#include "truss/measure/open_loop.h"
#include "truss/tool/output.h"

/// What peerbench found, as values. `-o json` writes them as Cereal archives; the names of the
/// members are the keys, and stay.
namespace truss::peertool {

inline constexpr const char* kSchema = "truss.peerbench.1";

/// A distribution in microseconds.
struct Figures {
  std::uint64_t count = 0;
  double mean_us = 0;
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double p9999_us = 0;
  double max_us = 0;
};
Figures figures(const measure::Histogram& histogram);

/// A 95 % confidence interval.
struct Range {
  double low = 0;
  double high = 0;
};

/// One part of a run: counts of values from `low_ns` on, bucket by bucket.
struct Batch {
  std::vector<std::uint64_t> low_ns{};
  std::vector<std::uint64_t> counts{};
};

/// A distribution with all that it takes to judge it and to compare it with another run's.
struct Series {
  std::string name{};  ///< `msgapp latency`, `heartbeat gap during snapshot`
  std::string what{};  ///< `round trip, from when it was due`
  Figures latency{};
  Range p50_us_95{};
  Range p99_us_95{};
  Figures closed_loop{};  ///< the naive figure of the same answers; count 0 where there is none
  bool steady = false;
  std::uint64_t batches_still_warming = 0;
  double drift = 0;  ///< first to last batch, relative
  std::vector<Batch> batches{};
};
/// `closed_loop` may be null.
Series series(std::string name, std::string what, std::span<const measure::Histogram> batches,
              const measure::Histogram* closed_loop);
std::vector<measure::Histogram> histograms(const Series& series);

/// One channel as it was driven, or why it was not.
struct ChannelReport {
  std::string channel{};  ///< `message`, `msgapp`, `pipeline`, `snapshot`
  bool driven = false;
  std::string note{};
  std::uint64_t message_bytes = 0;  ///< on the wire, without HTTP
  double asked_per_second = 0;
  double messages_per_second = 0;  ///< at the rate asked for
  double mb_per_second = 0;
  double most_messages_per_second = 0;  ///< with as many under way as the channel takes
  double most_mb_per_second = 0;
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t dropped = 0;
  Figures queue_wait{};
  Figures head_of_line{};
  Figures generator_lag{};
};

/// `heartbeat --during-snapshot`.
struct HeartbeatReport {
  double interval_ms = 0;
  std::uint64_t gaps = 0;  ///< seen while a snapshot was on its way
  double gap_p50_ms = 0;
  double gap_p99_ms = 0;
  double gap_p999_ms = 0;
  double gap_max_ms = 0;
  std::string verdict{};  ///< `unaffected`, `delayed`, `at risk`, `unknown`
  std::string explanation{};
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t transfers = 0;
  double snapshot_mb_per_second = 0;
  double quiet_gap_p999_ms = 0;
  double quiet_gap_max_ms = 0;
  double shared_gap_p999_ms = 0;  ///< both on one connection; 0: not tried
  double shared_gap_max_ms = 0;
};

/// What the tool itself can do on this machine, and beside a plain copy.
struct LimitsReport {
  double encode_1k_gb_per_second = 0;
  double decode_1k_gb_per_second = 0;
  double encode_empty_per_second = 0;
  double decode_empty_per_second = 0;
  double plain_copy_mb_per_second = 0;
  double snapshot_channel_mb_per_second = 0;
  double plain_over_snapshot = 0;  ///< 1.0: as fast as the plain copy
};

struct Report {
  std::string schema = kSchema;
  std::string kind{};  ///< `channels`, `heartbeat`, `mix`, `target`, `limits`
  std::string subject{};
  std::string command{};
  std::string machine{};
  std::string date{};
  std::vector<std::string> notes{};
  std::vector<Series> series{};
  std::vector<ChannelReport> channels{};
  HeartbeatReport heartbeat{};  ///< of that kind only; its keys lie at the top level
  LimitsReport limits{};        ///< likewise
};

/// With kind, machine and date filled in.
Report new_report(std::string kind, std::string subject, Clock& clock);

std::string to_json(const Report& report);
/// Errors: kCorruption, with what is wrong with it; kFailedPrecondition for a doctor's report or a
/// comparison.
Result<Report> from_json(const std::string& text, const std::string& path);
/// For people; histograms are drawn, where there are any to look at.
std::string render(const Report& report, tool::Format format);

/// `p50  p90 …` lines of a histogram with bars, `width` characters wide.
std::string draw(const measure::Histogram& histogram, std::size_t width);

/// `Intel Xeon …, 2 processors, Linux 6.1`
std::string machine_text();
/// `2026-11-22T23:00:00Z`
std::string utc_text(WallTime when);

}  // namespace truss::peertool
