#include "truss/peertool/channels.h"

#include <algorithm>

#include "drive.h"

namespace truss::peertool {
namespace {

/// How many may be under way when a channel is tried for the most: below its queue, so that nothing
/// is dropped.
std::size_t window_of(Channel channel) { return channel == Channel::kPipeline ? 32 : 1024; }

std::string note_of(Channel channel) {
  switch (channel) {
    case Channel::kMessage:
      return "long-lived stream, dialled by the receiver: heartbeats and everything small";
    case Channel::kMsgApp:
      return "long-lived stream, dialled by the receiver: appends";
    case Channel::kPipeline:
      return "a short POST each, four at a time: used only while no stream is attached";
    case Channel::kSnapshot:
      break;
  }
  return "a POST of its own for every database snapshot, whatever its size";
}

class Measurement {
 public:
  Measurement(Rig& rig, const ChannelsOptions& options, Tick tick)
      : rig_(rig),
        options_(options),
        tick_(std::move(tick)),
        report_(new_report("channels", rig.subject(), rig.clock())) {}

  Result<Report> run() {
    report_.notes = {"latencies are " + rig_.measured() +
                     ", from when a message was due; closed-loop figures beside them are the naive "
                     "reading of the same answers"};
    constexpr Channel kSmall[] = {Channel::kMessage, Channel::kMsgApp, Channel::kPipeline};
    for (const Channel channel : kSmall) {
      if (stopped_) break;
      TRUSS_TRY(small(channel));
      done_ += 0.25;
    }
    if (!stopped_) TRUSS_TRY(snapshots());
    return std::move(report_);
  }

 private:
  Tick part(double share) {
    return [this, share](double done) {
      stopped_ = stopped_ || (tick_ && !tick_(done_ + share * done));
      return !stopped_;
    };
  }

  Result<> small(Channel channel) {
    const std::size_t payload = channel == Channel::kMsgApp ? options_.append_bytes : 0;
    ChannelReport out = start(channel, payload);
    out.asked_per_second =
        channel == Channel::kPipeline ? options_.per_second / 10 : options_.per_second;
    rig_.executor().post([this] { rig_.reset_waits(); });
    const std::uint64_t dropped = rig_.dropped();
    Stream stream{channel,
                  {.per_second = out.asked_per_second,
                   .warm_up = options_.warm_up,
                   .duration = options_.duration},
                  [payload](std::uint64_t) { return payload; }};
    std::vector<Stream> streams;
    streams.push_back(std::move(stream));
    const measure::OpenLoopResult result =
        std::move(drive_open(rig_, std::move(streams), part(0.2)).front());
    if (result.answered == 0 && !stopped_) {
      return fail(Code::kUnavailable, rig_.subject() + ": no answer on the " + out.channel +
                                          " channel (" + std::to_string(result.started) + " sent)");
    }
    out.sent = result.started;
    out.answered = result.answered;
    out.unfinished = result.unfinished;
    out.dropped = rig_.dropped() - dropped;
    out.generator_lag = figures(result.lag);
    set_waits(channel, out);
    out.messages_per_second = static_cast<double>(result.answered) / result.seconds;
    out.mb_per_second = out.messages_per_second * static_cast<double>(out.message_bytes) / 1e6;
    if (!stopped_ && options_.saturation > Duration::zero()) saturate(channel, payload, out);
    report_.series.push_back(series(out.channel + " latency",
                                    rig_.measured() + ", from when it was due", result.batches,
                                    &result.closed_loop));
    report_.channels.push_back(std::move(out));
    return {};
  }

  ChannelReport start(Channel channel, std::size_t payload) const {
    ChannelReport out;
    out.channel = channel_name(channel);
    out.driven = true;
    out.note = note_of(channel);
    out.message_bytes = rig_.wire_bytes(channel, payload);
    return out;
  }

  void set_waits(Channel channel, ChannelReport& out) {
    const ChannelWaits waits = waits_of(rig_, channel);
    out.queue_wait = figures(waits.queue_wait);
    out.head_of_line = figures(waits.head_of_line);
  }

  void saturate(Channel channel, std::size_t payload, ChannelReport& out) {
    const WindowResult most =
        drive_window(rig_, channel, window_of(channel), payload, options_.saturation);
    out.most_messages_per_second = static_cast<double>(most.arrived) / most.seconds;
    out.most_mb_per_second =
        out.most_messages_per_second * static_cast<double>(out.message_bytes) / 1e6;
  }

  Result<> snapshots() {
    ChannelReport out = start(Channel::kSnapshot, 0);
    out.message_bytes = options_.snapshot_bytes;
    const TransferResult result =
        drive_snapshots(rig_, options_.snapshot_bytes, options_.snapshots, part(0.25));
    if (result.took.empty() && !stopped_) {
      return fail(Code::kUnavailable, rig_.subject() + ": took no snapshot");
    }
    std::vector<measure::Histogram> each(result.took.size());
    double seconds = 0;
    double quickest = 1e9;
    for (std::size_t i = 0; i < each.size(); ++i) {
      const double took = std::chrono::duration<double>(result.took[i]).count();
      each[i].add(result.took[i]);
      seconds += took;
      quickest = std::min(quickest, took);
    }
    out.sent = result.took.size() + result.failed;
    out.answered = result.took.size();
    out.dropped = result.failed;
    if (seconds > 0) {
      const auto bytes = static_cast<double>(options_.snapshot_bytes);
      out.messages_per_second = static_cast<double>(each.size()) / seconds;
      out.mb_per_second = out.messages_per_second * bytes / 1e6;
      out.most_messages_per_second = 1 / quickest;
      out.most_mb_per_second = bytes / quickest / 1e6;
    }
    report_.series.push_back(
        series("snapshot transfer", "from the start to the receiver's 204", each, nullptr));
    report_.channels.push_back(std::move(out));
    return {};
  }

  Rig& rig_;
  const ChannelsOptions options_;
  const Tick tick_;
  Report report_;
  double done_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<Report> measure_channels(Rig& rig, const ChannelsOptions& options, const Tick& tick) {
  return Measurement(rig, options, tick).run();
}

}  // namespace truss::peertool
