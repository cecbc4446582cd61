#include "truss/peertool/report.h"

#include <algorithm>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>

#include "one_line.h"
#include "truss/measure/resampling.h"
#include "truss/measure/steadiness.h"

namespace truss::peertool {

template <class Archive>
void serialize(Archive& archive, Figures& f) {
  archive(cereal::make_nvp("count", f.count), cereal::make_nvp("mean_us", f.mean_us),
          cereal::make_nvp("p50_us", f.p50_us), cereal::make_nvp("p90_us", f.p90_us),
          cereal::make_nvp("p99_us", f.p99_us), cereal::make_nvp("p999_us", f.p999_us),
          cereal::make_nvp("p9999_us", f.p9999_us), cereal::make_nvp("max_us", f.max_us));
}

template <class Archive>
void serialize(Archive& archive, Range& r) {
  archive(cereal::make_nvp("low", r.low), cereal::make_nvp("high", r.high));
}

template <class Archive>
void serialize(Archive& archive, Batch& b) {
  archive(cereal::make_nvp("low_ns", b.low_ns), cereal::make_nvp("counts", b.counts));
}

template <class Archive>
void serialize(Archive& archive, Series& s) {
  archive(cereal::make_nvp("name", s.name), cereal::make_nvp("what", s.what),
          cereal::make_nvp("latency", s.latency), cereal::make_nvp("p50_us_95", s.p50_us_95),
          cereal::make_nvp("p99_us_95", s.p99_us_95),
          cereal::make_nvp("closed_loop", s.closed_loop), cereal::make_nvp("steady", s.steady),
          cereal::make_nvp("batches_still_warming", s.batches_still_warming),
          cereal::make_nvp("drift", s.drift), cereal::make_nvp("batches", s.batches));
}

template <class Archive>
void serialize(Archive& archive, ChannelReport& c) {
  archive(cereal::make_nvp("channel", c.channel), cereal::make_nvp("driven", c.driven),
          cereal::make_nvp("note", c.note), cereal::make_nvp("message_bytes", c.message_bytes),
          cereal::make_nvp("asked_per_second", c.asked_per_second),
          cereal::make_nvp("messages_per_second", c.messages_per_second),
          cereal::make_nvp("mb_per_second", c.mb_per_second),
          cereal::make_nvp("most_messages_per_second", c.most_messages_per_second),
          cereal::make_nvp("most_mb_per_second", c.most_mb_per_second),
          cereal::make_nvp("sent", c.sent), cereal::make_nvp("answered", c.answered),
          cereal::make_nvp("unfinished", c.unfinished), cereal::make_nvp("dropped", c.dropped),
          cereal::make_nvp("queue_wait", c.queue_wait),
          cereal::make_nvp("head_of_line", c.head_of_line),
          cereal::make_nvp("generator_lag", c.generator_lag));
}

namespace {

template <class Archive>
void serialize_heartbeat(Archive& archive, HeartbeatReport& h) {
  archive(
      cereal::make_nvp("interval_ms", h.interval_ms), cereal::make_nvp("gaps", h.gaps),
      cereal::make_nvp("gap_p50_ms", h.gap_p50_ms), cereal::make_nvp("gap_p99_ms", h.gap_p99_ms),
      cereal::make_nvp("gap_p999_ms", h.gap_p999_ms), cereal::make_nvp("gap_max_ms", h.gap_max_ms),
      cereal::make_nvp("verdict", h.verdict), cereal::make_nvp("explanation", h.explanation),
      cereal::make_nvp("snapshot_bytes", h.snapshot_bytes),
      cereal::make_nvp("transfers", h.transfers),
      cereal::make_nvp("snapshot_mb_per_second", h.snapshot_mb_per_second),
      cereal::make_nvp("quiet_gap_p999_ms", h.quiet_gap_p999_ms),
      cereal::make_nvp("quiet_gap_max_ms", h.quiet_gap_max_ms),
      cereal::make_nvp("shared_gap_p999_ms", h.shared_gap_p999_ms),
      cereal::make_nvp("shared_gap_max_ms", h.shared_gap_max_ms));
}

template <class Archive>
void serialize_limits(Archive& archive, LimitsReport& l) {
  archive(cereal::make_nvp("encode_1k_gb_per_second", l.encode_1k_gb_per_second),
          cereal::make_nvp("decode_1k_gb_per_second", l.decode_1k_gb_per_second),
          cereal::make_nvp("encode_empty_per_second", l.encode_empty_per_second),
          cereal::make_nvp("decode_empty_per_second", l.decode_empty_per_second),
          cereal::make_nvp("plain_copy_mb_per_second", l.plain_copy_mb_per_second),
          cereal::make_nvp("snapshot_channel_mb_per_second", l.snapshot_channel_mb_per_second),
          cereal::make_nvp("plain_over_snapshot", l.plain_over_snapshot));
}

template <class Archive>
void serialize_report(Archive& archive, Report& r) {
  archive(cereal::make_nvp("schema", r.schema), cereal::make_nvp("kind", r.kind),
          cereal::make_nvp("subject", r.subject), cereal::make_nvp("command", r.command),
          cereal::make_nvp("machine", r.machine), cereal::make_nvp("date", r.date),
          cereal::make_nvp("notes", r.notes));
  if (r.kind == "heartbeat") serialize_heartbeat(archive, r.heartbeat);
  if (r.kind == "limits") serialize_limits(archive, r.limits);
  archive(cereal::make_nvp("channels", r.channels), cereal::make_nvp("series", r.series));
}

Range in_microseconds(const measure::Interval& interval) {
  return {interval.low / 1e3, interval.high / 1e3};
}

}  // namespace

Figures figures(const measure::Histogram& h) {
  return {.count = h.count(),
          .mean_us = h.mean() / 1e3,
          .p50_us = h.quantile(0.5) / 1e3,
          .p90_us = h.quantile(0.9) / 1e3,
          .p99_us = h.quantile(0.99) / 1e3,
          .p999_us = h.quantile(0.999) / 1e3,
          .p9999_us = h.quantile(0.9999) / 1e3,
          .max_us = static_cast<double>(h.greatest()) / 1e3};
}

Series series(std::string name, std::string what, std::span<const measure::Histogram> batches,
              const measure::Histogram* closed_loop) {
  Series out{.name = std::move(name), .what = std::move(what)};
  measure::Histogram all;
  for (const measure::Histogram& batch : batches) {
    all.merge(batch);
    Batch& b = out.batches.emplace_back();
    for (const auto& bucket : batch.buckets()) {
      b.low_ns.push_back(bucket.low_ns);
      b.counts.push_back(bucket.count);
    }
  }
  out.latency = figures(all);
  out.p50_us_95 = in_microseconds(measure::quantile_interval(batches, 0.5));
  out.p99_us_95 = in_microseconds(measure::quantile_interval(batches, 0.99));
  if (closed_loop != nullptr) out.closed_loop = figures(*closed_loop);
  const measure::Steadiness steadiness = measure::judge_steadiness(batches);
  out.steady = steadiness.steady;
  out.batches_still_warming = steadiness.still_warming;
  out.drift = steadiness.drift;
  return out;
}

std::vector<measure::Histogram> histograms(const Series& series) {
  std::vector<measure::Histogram> out;
  for (const Batch& batch : series.batches) {
    std::vector<measure::Histogram::Bucket> buckets;
    const std::size_t size = std::min(batch.low_ns.size(), batch.counts.size());
    for (std::size_t i = 0; i < size; ++i) {
      buckets.push_back({batch.low_ns[i], batch.low_ns[i], batch.counts[i]});
    }
    out.push_back(measure::Histogram::from_buckets(buckets));
  }
  return out;
}

Report new_report(std::string kind, std::string subject, Clock& clock) {
  Report out;
  out.kind = std::move(kind);
  out.subject = std::move(subject);
  out.machine = machine_text();
  out.date = utc_text(clock.wall());
  return out;
}

std::string to_json(const Report& report) {
  std::ostringstream out;
  {
    cereal::JSONOutputArchive archive(out, cereal::JSONOutputArchive::Options::NoIndent());
    Report copy = report;  // Cereal's archives take their input by reference
    serialize_report(archive, copy);
  }
  return on_one_line(out.str());
}

namespace {

// Far above what any run of peerbench writes; a file that claims more is none of its.
constexpr std::size_t kMostSeries = 1000;
constexpr std::size_t kMostBatches = 10'000;
constexpr std::uint64_t kMostCount = std::uint64_t{1} << 40;

Result<> check(const Report& report) {
  if (report.series.size() > kMostSeries) return fail(Code::kCorruption, "too many series");
  for (const Series& s : report.series) {
    if (s.batches.size() > kMostBatches) {
      return fail(Code::kCorruption, "series `" + s.name + "` has too many batches");
    }
    std::uint64_t sum = 0;
    for (const Batch& batch : s.batches) {
      bool good = batch.low_ns.size() == batch.counts.size();
      for (const std::uint64_t count : batch.counts) {
        good = good && count <= kMostCount - sum;
        sum += good ? count : 0;
      }
      if (!good) return fail(Code::kCorruption, "series `" + s.name + "` has a batch of nonsense");
    }
  }
  return {};
}

/// Of any kind that peerbench writes.
struct Heading {
  std::string schema;
  std::string kind;
};
Heading heading_of(const std::string& text) {
  Heading out;
  std::istringstream in(text);
  cereal::JSONInputArchive archive(in);
  archive(cereal::make_nvp("schema", out.schema), cereal::make_nvp("kind", out.kind));
  return out;
}

}  // namespace

Result<Report> from_json(const std::string& text, const std::string& path) {
  if (nesting(text) > kMostNesting) return fail(Code::kCorruption, path + ": nested too deeply");
  Report out;
  try {
    const Heading heading = heading_of(text);
    if (heading.schema != kSchema) {
      return fail(Code::kCorruption, path + ": schema `" + heading.schema + "`, want " + kSchema);
    }
    if (heading.kind == "doctor" || heading.kind == "comparison") {
      return fail(Code::kFailedPrecondition,
                  path + ": a report of kind `" + heading.kind + "` has no distributions");
    }
    std::istringstream in(text);
    cereal::JSONInputArchive archive(in);
    serialize_report(archive, out);
  } catch (const std::exception& e) {
    return fail(Code::kCorruption, path + ": no report of peerbench: " + why(e));
  }
  if (const auto good = check(out); !good) {
    return fail(Code::kCorruption, path + ": " + good.error().message);
  }
  return out;
}

}  // namespace truss::peertool
