#include "prober.h"

#include <chrono>

#include "truss/peer/text.h"

namespace truss::peer {
namespace {

constexpr Duration kWatchHealthy = std::chrono::seconds(30);
constexpr Duration kWatchUnhealthy = std::chrono::seconds(5);
constexpr Duration kMaxClockDifference = std::chrono::seconds(1);

std::string microseconds_text(Duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(d).count()) + "us";
}

}  // namespace

Prober::Prober(std::shared_ptr<Context> context, raft::NodeId peer, const char* channel,
               net::HttpClient& client, std::shared_ptr<PeerUrls> urls,
               std::shared_ptr<Activity> activity)
    : context_(std::move(context)),
      peer_(peer),
      channel_(channel),
      client_(client),
      urls_(std::move(urls)),
      activity_(std::move(activity)) {}

void Prober::start() {
  probe();
  after(kWatchUnhealthy, &Prober::watch);
}

void Prober::after(Duration delay, void (Prober::*what)()) {
  context_->thread.post_at(context_->now() + delay, [weak = weak_from_this(), what] {
    const auto self = weak.lock();
    if (self && !self->stopped_ && !self->context_->stopped) ((*self).*what)();
  });
}

void Prober::probe() {
  net::HttpCall call;
  call.url = urls_->current() + "/raft/probing";
  call.times.connect = context_->options.dial_timeout;
  call.times.whole = context_->options.probe_interval;
  call.max_response_bytes = 4u << 10;
  client_.fetch(
      std::move(call),
      on_thread(*context_, shared_from_this(),
                [sent = context_->now()](Prober& self, const Result<net::HttpResponse>& answer) {
                  self.answered(sent, answer);
                }));
  after(context_->options.probe_interval, &Prober::probe);
}

void Prober::answered(MonoTime sent, const Result<net::HttpResponse>& answer) {
  if (!answer) return status_.record_failure(answer.error().message);
  if (answer->status != 200) {
    return status_.record_failure("answered " + std::to_string(answer->status));
  }
  const auto probe = parse_probe_json(answer->body);
  if (!probe) return status_.record_failure(probe.error().message);
  if (!probe->ok) return status_.record_failure("answered not OK");
  activity_->counts().round_trips.add(context_->now() - sent);
  status_.record(sent, context_->now(), context_->clock.wall(), *probe);
}

void Prober::watch() {
  const std::string rtt = microseconds_text(status_.smoothed_rtt());
  if (!status_.healthy()) {
    context_->logger.warn("prober detected unhealthy status",
                          {{"round-tripper-name", channel_},
                           {"remote-peer-id", id_text(peer_.value())},
                           {"rtt", rtt},
                           {"error", status_.last_error()}});
  } else if (status_.clock_difference() > kMaxClockDifference) {
    context_->logger.warn("prober found high clock drift",
                          {{"round-tripper-name", channel_},
                           {"remote-peer-id", id_text(peer_.value())},
                           {"clock-drift", microseconds_text(status_.clock_difference())},
                           {"rtt", rtt}});
  }
  after(status_.healthy() ? kWatchHealthy : kWatchUnhealthy, &Prober::watch);
}

}  // namespace truss::peer
