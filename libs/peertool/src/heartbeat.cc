#include "truss/peertool/heartbeat.h"

#include <algorithm>

#include "drive.h"
#include "gap_meter.h"
#include "shared_connection.h"

namespace truss::peertool {
namespace {

using std::chrono::milliseconds;

constexpr Duration kPatience = std::chrono::seconds(10);
constexpr Duration kGlance = milliseconds(100);

double ms(double ns) { return ns / 1e6; }
double ms(Duration d) { return static_cast<double>(d.count()) / 1e6; }

/// Sends heartbeats at their times and notes the gaps, with snapshots on their way or without.
/// Lives on: the rig's thread.
class Experiment : public std::enable_shared_from_this<Experiment> {
 public:
  Experiment(Rig& rig, const HeartbeatOptions& options) : rig_(rig), options_(options) {}

  void begin() {
    line_ = rig_.open_line([weak = weak_from_this()](std::uint64_t, MonoTime at) {
      if (const auto self = weak.lock()) self->arrived(at);
    });
    next_ = last_seen_ = rig_.clock().now();
    beat();
  }
  void send_snapshots() {
    if (over_) return;
    transfer_started_ = rig_.clock().now();
    in_transfer_ = true;
    during_.pause();
    rig_.send_snapshot(options_.snapshot_bytes, [weak = weak_from_this()](bool delivered) {
      if (const auto self = weak.lock()) self->sent(delivered);
    });
  }
  void end() {
    over_ = true;
    rig_.close_line(line_);
  }

  const GapMeter& quiet() const { return quiet_; }
  const GapMeter& during() const { return during_; }
  bool in_transfer() const { return in_transfer_; }
  std::uint64_t transfers() const { return transfers_; }
  std::uint64_t failures() const { return failures_; }
  double transfer_seconds() const { return transfer_seconds_; }
  /// Time since the last heartbeat came.
  Duration silence() const { return rig_.clock().now() - last_seen_; }

 private:
  void beat() {
    if (over_) return;
    rig_.send(Channel::kMessage, line_, index_++, 0);
    next_ += options_.interval;
    rig_.executor().post_at(next_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->beat();
    });
  }
  void arrived(MonoTime at) {
    last_seen_ = at;
    (in_transfer_ ? during_ : quiet_).arrived(at);
  }
  void sent(bool delivered) {
    during_.pause();
    quiet_.pause();
    in_transfer_ = false;
    ++(delivered ? transfers_ : failures_);
    if (delivered) {
      transfer_seconds_ +=
          std::chrono::duration<double>(rig_.clock().now() - transfer_started_).count();
    }
    if (!over_ && during_.count() < options_.least_gaps && failures_ < 3) send_snapshots();
  }

  Rig& rig_;
  const HeartbeatOptions options_;
  std::uint64_t line_ = 0;
  std::uint64_t index_ = 0;
  MonoTime next_;
  MonoTime last_seen_;
  MonoTime transfer_started_;
  bool in_transfer_ = false;
  bool over_ = false;
  std::uint64_t transfers_ = 0;
  std::uint64_t failures_ = 0;
  double transfer_seconds_ = 0;
  GapMeter quiet_;
  GapMeter during_;
};

/// What the waiting thread looks at.
struct Glance {
  std::uint64_t gaps = 0;
  std::uint64_t failures = 0;
  bool in_transfer = false;
  Duration silence{};
};

/// Waits until `gaps` have been seen in the phase. False: stopped by the caller.
Result<bool> wait_for_gaps(Rig& rig, const std::shared_ptr<Experiment>& experiment, bool during,
                           std::uint64_t gaps, const Tick& tick) {
  for (;;) {
    pause(rig.executor(), rig.clock(), kGlance);
    const Glance now = on_rig(rig, [&] {
      const GapMeter& meter = during ? experiment->during() : experiment->quiet();
      return Glance{meter.count(), experiment->failures(), experiment->in_transfer(),
                    experiment->silence()};
    });
    if (now.silence > kPatience) {
      return fail(Code::kUnavailable, rig.subject() + ": no heartbeat for 10 s");
    }
    if (now.failures >= 3) {
      return fail(Code::kUnavailable, rig.subject() + ": took no snapshot in three attempts");
    }
    if (now.gaps >= gaps && (!during || !now.in_transfer)) return true;
    const double done = static_cast<double>(now.gaps) / static_cast<double>(gaps);
    if (tick && !tick(std::min(1.0, done))) return false;
  }
}

void judge(const HeartbeatOptions& options, HeartbeatReport& out) {
  const double interval = out.interval_ms;
  const bool late =
      out.gap_p999_ms > 2 * interval && out.gap_p999_ms > out.quiet_gap_p999_ms + interval / 2;
  if (out.gap_max_ms >= ms(options.election_timeout)) {
    out.verdict = "at risk";
    out.explanation = "a gap reached the election time-out: a snapshot can cost the leader";
  } else if (out.gaps < options.least_gaps) {
    out.verdict = "unknown";
    out.explanation = "stopped after " + std::to_string(out.gaps) + " of " +
                      std::to_string(options.least_gaps) + " gaps";
  } else if (late) {
    out.verdict = "delayed";
    out.explanation = "heartbeats come late while a snapshot is on its way, but in time";
  } else {
    out.verdict = "unaffected";
    out.explanation = "heartbeats don't feel the snapshot";
  }
}

void fill(const Experiment& experiment, const HeartbeatOptions& options, HeartbeatReport& out) {
  const measure::Histogram during = experiment.during().all();
  const measure::Histogram quiet = experiment.quiet().all();
  out.interval_ms = ms(options.interval);
  out.gaps = during.count();
  out.gap_p50_ms = ms(during.quantile(0.5));
  out.gap_p99_ms = ms(during.quantile(0.99));
  out.gap_p999_ms = ms(during.quantile(0.999));
  out.gap_max_ms = ms(static_cast<double>(during.greatest()));
  out.quiet_gap_p999_ms = ms(quiet.quantile(0.999));
  out.quiet_gap_max_ms = ms(static_cast<double>(quiet.greatest()));
  out.snapshot_bytes = options.snapshot_bytes;
  out.transfers = experiment.transfers();
  if (experiment.transfer_seconds() > 0) {
    out.snapshot_mb_per_second = static_cast<double>(options.snapshot_bytes) *
                                 static_cast<double>(out.transfers) /
                                 experiment.transfer_seconds() / 1e6;
  }
}

Result<> contrast(Runtime& runtime, const HeartbeatOptions& options, Report& report,
                  const Tick& tick) {
  auto gaps = measure_shared_connection(runtime, options.snapshot_bytes, options.interval,
                                        options.least_gaps, tick);
  if (!gaps) return tl::unexpected(gaps.error());
  const measure::Histogram all = gaps->all();
  report.heartbeat.shared_gap_p999_ms = ms(all.quantile(0.999));
  report.heartbeat.shared_gap_max_ms = ms(static_cast<double>(all.greatest()));
  report.series.push_back(series("heartbeat gap on one connection with the snapshot",
                                 "for contrast, over loopback: no etcd does this", gaps->batches(),
                                 nullptr));
  return {};
}

}  // namespace

Result<Report> measure_heartbeats(Rig& rig, Runtime& runtime, const HeartbeatOptions& options,
                                  const Tick& tick) {
  Report report = new_report("heartbeat", rig.subject(), rig.clock());
  const auto experiment = std::make_shared<Experiment>(rig, options);
  rig.executor().post([experiment] { experiment->begin(); });
  const std::uint64_t quiet_gaps = std::max<std::uint64_t>(options.least_gaps / 4, 20);
  const auto part = [&](double from, double share) {
    return [&tick, from, share](double done) { return !tick || tick(from + share * done); };
  };
  auto going = wait_for_gaps(rig, experiment, false, quiet_gaps, part(0, 0.15));
  if (going && *going) {
    rig.executor().post([experiment] { experiment->send_snapshots(); });
    going = wait_for_gaps(rig, experiment, true, options.least_gaps, part(0.15, 0.5));
  }
  on_rig(rig, [&] {
    experiment->end();
    return true;
  });
  if (!going) return tl::unexpected(going.error());
  const std::string what =
      rig.measured() == "one way" ? "between two arrivals" : "between two answers";
  report.series.push_back(
      series("heartbeat gap without a snapshot", what, experiment->quiet().batches(), nullptr));
  report.series.push_back(
      series("heartbeat gap during snapshots", what, experiment->during().batches(), nullptr));
  fill(*experiment, options, report.heartbeat);
  if (*going && options.one_connection) {
    TRUSS_TRY(contrast(runtime, options, report, part(0.65, 0.35)));
  }
  judge(options, report.heartbeat);
  report.notes = {
      "streams are long-lived and carry everything small; the pipeline is short POSTs, used only "
      "while no stream is attached; a database snapshot has a POST of its own"};
  return report;
}

}  // namespace truss::peertool
