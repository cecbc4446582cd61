#include "truss/peertool/target.h"

#include <future>
#include <memory>

#include "getter.h"
#include "metrics_text.h"
#include "truss/measure/open_loop.h"
#include "truss/peer/bodies.h"
#include "truss/peer/probe.h"
#include "truss/peer/text.h"

namespace truss::peertool {
namespace {

using namespace std::chrono_literals;

constexpr Duration kGlance = 200ms;

struct Undriven {
  const char* channel;
  const char* why;
};
constexpr Undriven kUndriven[] = {
    {"message",
     "an unknown sender is refused there, and a known id would replace a member's live stream"},
    {"msgapp",
     "an unknown sender is refused there, and a known id would replace a member's live stream"},
    {"pipeline", "whatever is posted reaches the member's raft"},
    {"snapshot", "every POST leaves a file in the member's directory"}};

class Target {
 public:
  Target(Runtime& runtime, const TargetOptions& options, const Tick& tick)
      : options_(options),
        tick_(tick),
        clock_(runtime.clock()),
        kept_(runtime, "target", options.timeout),
        fresh_(runtime, "target-fresh", options.timeout, one_shot()) {}

  Result<Report> run() {
    Report report = new_report("target", options_.url, clock_);
    TRUSS_TRY(look(report));
    for (const Undriven& u : kUndriven) {
      ChannelReport& channel = report.channels.emplace_back();
      channel.channel = u.channel;
      channel.note = u.why;
    }
    const bool peer_port = has_probing_;
    const char* path = peer_port ? "/raft/probing" : "/version";
    report.series.push_back(requests("request on a kept connection", path, kept_, 0));
    if (!stopped_) {
      report.series.push_back(requests("request on a fresh connection", path, fresh_, 0.5));
    }
    if (failed_ > 0) report.notes.push_back("requests that failed: " + std::to_string(failed_));
    return report;
  }

 private:
  static net::HttpClientOptions one_shot() {
    net::HttpClientOptions out;
    out.max_idle_per_host = 0;
    return out;
  }

  Result<net::HttpResponse> get(const std::string& path) { return kept_.get(options_.url + path); }

  Result<> look(Report& report) {
    TRUSS_ASSIGN(const net::HttpResponse version, get("/version"));
    if (const auto parsed = peer::parse_versions(version.body)) {
      report.subject += ", etcd " + parsed->server;
      report.notes.push_back("version " + parsed->server + ", cluster " +
                             (parsed->cluster.empty() ? "not decided" : parsed->cluster));
    }
    look_at_probing(report);
    look_at_members(report);
    look_at_metrics(report);
    return {};
  }

  void look_at_probing(Report& report) {
    const MonoTime sent = clock_.now();
    const auto answer = get("/raft/probing");
    const MonoTime got = clock_.now();
    if (!answer) return;
    const auto probe = peer::parse_probe_json(answer->body);
    if (!probe || !probe->ok) return;
    has_probing_ = true;
    const Duration drift = clock_.wall() - probe->now - (got - sent) / 2;
    report.notes.push_back("its clock is " + std::to_string(-drift.count() / 1000) +
                           " us ahead of ours, give or take half a round trip");
  }

  void look_at_members(Report& report) {
    const auto answer = get("/members");
    if (!answer) return;
    const auto members = peer::parse_members(answer->body);
    if (!members) return;
    std::string names;
    for (const peer::MemberInfo& m : *members) {
      names += (names.empty() ? "" : ", ") + peer::id_text(m.id.value()) + " (" + m.name + ")";
    }
    report.notes.push_back("members: " + names);
  }

  /// What the member itself says of its channels and its disk.
  void look_at_metrics(Report& report) {
    const auto answer = get("/metrics");
    if (!answer) {
      report.notes.push_back("no /metrics here (it is on the client port)");
      return;
    }
    const MetricsText text(answer->body);
    tell_sum(report, text, "etcd_network_peer_sent_failures_total", "messages it dropped");
    tell_sum(report, text, "etcd_server_leader_changes_seen_total", "leader changes it saw");
    tell_sum(report, text, "etcd_server_heartbeat_send_failures_total", "late heartbeats");
    tell_mean(report, text, "etcd_disk_wal_fsync_duration_seconds", "WAL sync");
    tell_mean(report, text, "etcd_disk_backend_commit_duration_seconds", "backend commit");
    tell_mean(report, text, "etcd_network_peer_round_trip_time_seconds", "its round trip to peers");
  }

  static void tell_sum(Report& report, const MetricsText& text, const std::string& name,
                       const std::string& what) {
    if (const auto sum = text.sum(name)) {
      report.notes.push_back(what + ": " + std::to_string(static_cast<std::uint64_t>(*sum)));
    }
  }
  static void tell_mean(Report& report, const MetricsText& text, const std::string& name,
                        const std::string& what) {
    const double count = text.sum(name + "_count").value_or(0);
    if (count <= 0) return;
    const double us = text.sum(name + "_sum").value_or(0) / count * 1e6;
    report.notes.push_back(what + ": " + std::to_string(static_cast<std::uint64_t>(us)) +
                           " us on average, as it says");
  }

  Series requests(const std::string& name, const std::string& path, Getter& getter,
                  double done_before) {
    std::promise<void> ended;
    auto future = ended.get_future();
    std::shared_ptr<measure::OpenLoop> loop;
    const measure::OpenLoopSpec spec{.per_second = options_.per_second,
                                     .warm_up = 200ms,
                                     .duration = options_.duration,
                                     .patience = options_.timeout};
    loop = std::make_shared<measure::OpenLoop>(
        getter.thread(), clock_, spec,
        [&](std::uint64_t index) {
          getter.client().fetch(
              getter.call(options_.url + path),
              [weak = std::weak_ptr(loop), index, this](const Result<net::HttpResponse>& got) {
                const auto self = weak.lock();
                if (!self) return;
                if (got && got->status == 200) return self->finish(index, clock_.now());
                self->fail(index);
              });
        },
        [&ended] { ended.set_value(); });
    loop->begin();
    wait(future, done_before);
    const measure::OpenLoopResult result = result_of(getter, *loop);
    failed_ += result.failed + result.unfinished;
    return series(name, "GET " + path + ", from when it was due", result.batches,
                  &result.closed_loop);
  }

  /// Returns when the loop has ended, or when told to stop.
  void wait(std::future<void>& ended, double done_before) {
    const MonoTime start = clock_.now();
    while (!stopped_ && ended.wait_for(kGlance) != std::future_status::ready) {
      const double done = std::chrono::duration<double>(clock_.now() - start) /
                          std::chrono::duration<double>(options_.duration);
      stopped_ = tick_ && !tick_(done_before + std::min(done, 1.0) / 2);
    }
  }
  /// A loop that was stopped early is cancelled, and keeps what came until then.
  static measure::OpenLoopResult result_of(Getter& getter, measure::OpenLoop& loop) {
    std::promise<measure::OpenLoopResult> promise;
    auto future = promise.get_future();
    getter.thread().post([&] {
      loop.cancel();
      promise.set_value(loop.result());
    });
    return future.get();
  }

  const TargetOptions options_;
  const Tick& tick_;
  Clock& clock_;
  Getter kept_;
  Getter fresh_;
  bool has_probing_ = false;
  bool stopped_ = false;
  std::uint64_t failed_ = 0;
};

}  // namespace

Result<Report> measure_target(Runtime& runtime, const TargetOptions& options, const Tick& tick) {
  TargetOptions clean = options;
  while (clean.url.ends_with('/')) clean.url.pop_back();
  if (!clean.url.starts_with("http://")) {
    return fail(Code::kInvalidArgument,
                "--target " + options.url + ": want http://HOST:PORT (TLS is not spoken here)");
  }
  return Target(runtime, clean, tick).run();
}

}  // namespace truss::peertool
