#include <algorithm>
#include <memory>

#include "drive.h"
#include "truss/common/random.h"
#include "truss/peertool/profile.h"

namespace truss::peertool {
namespace {

/// Draws sizes by weight; the same for the same seed.
class Sizes {
 public:
  Sizes(const std::vector<PayloadSize>& sizes, std::uint64_t seed) : random_(seed) {
    double sum = 0;
    for (const PayloadSize& s : sizes) {
      sum += s.weight;
      bounds_.emplace_back(sum, s.bytes);
    }
  }
  std::size_t next() {
    const double at =
        static_cast<double>(random_.next() >> 11) / 9007199254740992.0 * bounds_.back().first;
    const auto found =
        std::upper_bound(bounds_.begin(), bounds_.end(), at,
                         [](double value, const auto& bound) { return value < bound.first; });
    return static_cast<std::size_t>(found == bounds_.end() ? bounds_.back().second : found->second);
  }
  double mean() const {
    double sum = 0;
    double before = 0;
    for (const auto& [bound, bytes] : bounds_) {
      sum += (bound - before) * static_cast<double>(bytes);
      before = bound;
    }
    return sum / before;
  }

 private:
  SeededRandom random_;
  std::vector<std::pair<double, std::uint64_t>> bounds_;
};

struct Part {
  Channel channel;
  double per_second;
};

Stream stream_of(const Part& part, const MixOptions& options, const std::shared_ptr<Sizes>& sizes) {
  Stream out;
  out.channel = part.channel;
  out.spec = {.per_second = part.per_second,
              .warm_up = options.warm_up,
              .duration = options.duration,
              .arrivals = part.channel == Channel::kMsgApp ? measure::Arrivals::kPoisson
                                                           : measure::Arrivals::kEven,
              .seed = options.seed};
  if (part.channel == Channel::kMsgApp) {
    out.size = [sizes](std::uint64_t) { return sizes->next(); };
  }
  return out;
}

ChannelReport channel_report(Rig& rig, const Part& part, const measure::OpenLoopResult& result,
                             double mean_payload) {
  ChannelReport out;
  out.channel = channel_name(part.channel);
  out.driven = true;
  out.note = "open loop, together with the other channels";
  out.message_bytes = rig.wire_bytes(part.channel, static_cast<std::size_t>(mean_payload));
  out.asked_per_second = part.per_second;
  out.sent = result.started;
  out.answered = result.answered;
  out.unfinished = result.unfinished;
  out.messages_per_second = static_cast<double>(result.answered) / result.seconds;
  out.mb_per_second = out.messages_per_second * static_cast<double>(out.message_bytes) / 1e6;
  out.generator_lag = figures(result.lag);
  const ChannelWaits waits = waits_of(rig, part.channel);
  out.queue_wait = figures(waits.queue_wait);
  out.head_of_line = figures(waits.head_of_line);
  return out;
}

}  // namespace

Result<Report> measure_mix(Rig& rig, const MixOptions& options, const Tick& tick) {
  const Profile& profile = options.profile;
  const double appends = options.rate > 0 ? options.rate : profile.appends_per_second;
  std::vector<Part> parts;
  if (profile.heartbeats_per_second > 0) {
    parts.push_back({Channel::kMessage, profile.heartbeats_per_second});
  }
  if (appends > 0) parts.push_back({Channel::kMsgApp, appends});
  if (profile.posts_per_second > 0) {
    parts.push_back({Channel::kPipeline, profile.posts_per_second});
  }
  const auto sizes = std::make_shared<Sizes>(profile.append_sizes, options.seed);
  std::vector<Stream> streams;
  for (const Part& part : parts) streams.push_back(stream_of(part, options, sizes));
  rig.executor().post([&rig] { rig.reset_waits(); });
  const std::uint64_t dropped = rig.dropped();
  const auto results = drive_open(rig, std::move(streams), tick);
  Report report = new_report("mix", rig.subject(), rig.clock());
  report.notes = {"profile: " + (profile.name.empty() ? std::string("unnamed") : profile.name),
                  "messages dropped by full queues: " + std::to_string(rig.dropped() - dropped)};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool append = parts[i].channel == Channel::kMsgApp;
    report.channels.push_back(
        channel_report(rig, parts[i], results[i], append ? sizes->mean() : 0));
    report.series.push_back(series(report.channels.back().channel + " latency",
                                   rig.measured() + ", from when it was due", results[i].batches,
                                   &results[i].closed_loop));
    if (results[i].answered == 0) {
      return fail(Code::kUnavailable, rig.subject() + ": no answer on the " +
                                          report.channels.back().channel + " channel");
    }
  }
  return report;
}

}  // namespace truss::peertool
