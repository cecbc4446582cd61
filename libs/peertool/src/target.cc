#include "truss/peertool/target.h"

#include <cstdlib>
#include <future>
#include <memory>
#include <thread>

#include "truss/measure/open_loop.h"
#include "truss/net/http_client.h"
#include "truss/peer/bodies.h"
#include "truss/peer/probe.h"
#include "truss/peer/text.h"

namespace truss::peertool {
namespace {

using namespace std::chrono_literals;

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
        thread_("target", runtime.clock()),
        kept_(std::make_unique<net::HttpClient>(thread_, clock_)),
        fresh_(std::make_unique<net::HttpClient>(thread_, clock_, one_shot())) {}

  ~Target() {
    kept_.reset();
    fresh_.reset();
    thread_.stop();
  }

  Result<Report> run() {
    Report report = new_report("target", options_.url, clock_);
    TRUSS_TRY(look(report));
    const bool peer_port = has_probing_;
    const char* path = peer_port ? "/raft/probing" : "/version";
    report.series.push_back(requests("request on a kept connection", path, *kept_, 0));
    report.series.push_back(requests("request on a fresh connection", path, *fresh_, 0.5));
    for (const Undriven& u : kUndriven) {
      ChannelReport& channel = report.channels.emplace_back();
      channel.channel = u.channel;
      channel.note = u.why;
    }
    return report;
  }

 private:
  static net::HttpClientOptions one_shot() {
    net::HttpClientOptions out;
    out.max_idle_per_host = 0;
    return out;
  }

  net::HttpCall call(const std::string& path) const {
    net::HttpCall out;
    out.url = options_.url + path;
    out.times.connect = options_.timeout;
    out.times.whole = options_.timeout;
    out.max_response_bytes = 8u << 20;
    return out;
  }

  Result<net::HttpResponse> get(const std::string& path) {
    const auto promise = std::make_shared<std::promise<Result<net::HttpResponse>>>();
    auto future = promise->get_future();
    kept_->fetch(call(path),
                 [promise](Result<net::HttpResponse> got) { promise->set_value(std::move(got)); });
    return future.get();
  }

  Result<> look(Report& report) {
    TRUSS_ASSIGN(const net::HttpResponse version, get("/version"));
    if (const auto parsed = peer::parse_versions(version.body); version.status == 200 && parsed) {
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
    if (!answer || answer->status != 200) return;
    const auto probe = peer::parse_probe_json(answer->body);
    if (!probe || !probe->ok) return;
    has_probing_ = true;
    const Duration drift = clock_.wall() - probe->now - (got - sent) / 2;
    report.notes.push_back("its clock is " + std::to_string(-drift.count() / 1000) +
                           " us ahead of ours, give or take half a round trip");
  }

  void look_at_members(Report& report) {
    const auto answer = get("/members");
    if (!answer || answer->status != 200) return;
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
    if (!answer || answer->status != 200) {
      report.notes.push_back("no /metrics here (it is on the client port)");
      return;
    }
    const std::string& text = answer->body;
    tell_sum(report, text, "etcd_network_peer_sent_failures_total", "messages it dropped");
    tell_sum(report, text, "etcd_server_leader_changes_seen_total", "leader changes it saw");
    tell_sum(report, text, "etcd_server_heartbeat_send_failures_total", "late heartbeats");
    tell_mean(report, text, "etcd_disk_wal_fsync_duration_seconds", "WAL sync");
    tell_mean(report, text, "etcd_disk_backend_commit_duration_seconds", "backend commit");
    tell_mean(report, text, "etcd_network_peer_round_trip_time_seconds", "its round trip to peers");
  }

  /// All samples of a metric, whatever their labels; negative if there is none.
  static double sum_of(const std::string& text, const std::string& name) {
    double sum = -1;
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
      const char after = at + name.size() < text.size() ? text[at + name.size()] : '\n';
      if ((at > 0 && text[at - 1] != '\n') || (after != ' ' && after != '{')) continue;
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::size_t blank = text.rfind(' ', end);
      if (blank == std::string::npos || blank < at) continue;
      sum = std::max(sum, 0.0) + std::strtod(text.c_str() + blank + 1, nullptr);
    }
    return sum;
  }
  static void tell_sum(Report& report, const std::string& text, const std::string& name,
                       const std::string& what) {
    const double sum = sum_of(text, name);
    if (sum >= 0) {
      report.notes.push_back(what + ": " + std::to_string(static_cast<std::uint64_t>(sum)));
    }
  }
  static void tell_mean(Report& report, const std::string& text, const std::string& name,
                        const std::string& what) {
    const double sum = sum_of(text, name + "_sum");
    const double count = sum_of(text, name + "_count");
    if (count <= 0) return;
    const auto us = static_cast<std::uint64_t>(sum / count * 1e6);
    report.notes.push_back(what + ": " + std::to_string(us) + " us on average, as it says");
  }

  Series requests(const std::string& name, const std::string& path, net::HttpClient& client,
                  double done_before) {
    std::promise<void> ended;
    auto future = ended.get_future();
    std::shared_ptr<measure::OpenLoop> loop;
    const measure::OpenLoopSpec spec{.per_second = options_.per_second,
                                     .warm_up = 200ms,
                                     .duration = options_.duration,
                                     .patience = options_.timeout};
    loop = std::make_shared<measure::OpenLoop>(
        thread_, clock_, spec,
        [&](std::uint64_t index) {
          client.fetch(call(path), [weak = std::weak_ptr(loop), index,
                                    this](const Result<net::HttpResponse>& got) {
            const auto self = weak.lock();
            if (!self) return;
            if (got && got->status == 200) return self->finish(index, clock_.now());
            self->fail(index);
          });
        },
        [&ended] { ended.set_value(); });
    loop->begin();
    while (future.wait_for(200ms) != std::future_status::ready) {
      if (tick_) tick_(done_before);
    }
    const measure::OpenLoopResult& result = loop->result();
    Series out =
        series(name, "GET " + path + ", from when it was due", result.batches, &result.closed_loop);
    return out;
  }

  const TargetOptions options_;
  const Tick& tick_;
  Clock& clock_;
  net::IoThread thread_;
  std::unique_ptr<net::HttpClient> kept_;
  std::unique_ptr<net::HttpClient> fresh_;
  bool has_probing_ = false;
};

}  // namespace

Result<Report> measure_target(Runtime& runtime, const TargetOptions& options, const Tick& tick) {
  TargetOptions clean = options;
  while (clean.url.ends_with('/')) clean.url.pop_back();
  if (!clean.url.starts_with("http://")) {
    return fail(Code::kInvalidArgument, options.url + ": want http://HOST:PORT");
  }
  return Target(runtime, clean, tick).run();
}

}  // namespace truss::peertool
