// Both ends in this process: a driver and a sink, each with a peer port and a thread.
#include <deque>
#include <future>

#include "filler.h"
#include "lines.h"
#include "numbers.h"
#include "station.h"
#include "truss/common/await.h"
#include "truss/peertool/rig.h"
#include "wait_meter.h"

namespace truss::peertool {
namespace {

using raft::MessageType;

constexpr raft::NodeId kDriver{1};
constexpr raft::NodeId kSink{2};
constexpr Duration kPatience = std::chrono::seconds(10);

peer::Identity identity(raft::NodeId self, const std::string& url) {
  return {.self = self,
          .cluster = peer::ClusterId(0x7e57),
          .server_version = "3.6.14",
          .form = raft::MessageForm::k36,
          .peer_urls = {url}};
}

class SelfRig final : public Rig {
 public:
  SelfRig(Runtime& runtime, const RigOptions& options)
      : through_(options.through),
        clock_(runtime.clock()),
        meter_(clock_),
        driver_(runtime, logger_, "drive", transport_options(options)),
        sink_(runtime, logger_, "sink", transport_options(options)),
        pipeline_(driver_.thread(), runtime, logger_, transport_options(options)) {}

  ~SelfRig() override {
    pipeline_.stop();
    driver_.stop();
    sink_.stop();
  }

  Result<> start() {
    TRUSS_TRY(driver_.listen());
    TRUSS_TRY(sink_.listen());
    sink_.start(identity(kSink, sink_.url()), arrivals_);
    driver_.transport().observe(meter_);
    pipeline_.observe(meter_);
    driver_.start(identity(kDriver, driver_.url()), answers_);
    pipeline_.identify(identity(kDriver, driver_.url()));
    pipeline_.start(answers_, driver_.local());
    const std::string sink_url = through_ ? through_(sink_.url()) : sink_.url();
    const std::string driver_url = through_ ? through_(driver_.url()) : driver_.url();
    pipeline_.add_remote(kSink, {sink_url});
    driver_.transport().add_peer(kSink, {sink_url});
    sink_.transport().add_peer(kDriver, {driver_url});
    return wait_for_streams();
  }

  std::string subject() const override { return "self"; }
  std::string measured() const override { return "one way"; }
  Executor& executor() override { return driver_.thread(); }
  Clock& clock() override { return clock_; }
  std::uint64_t open_line(Arrived arrived) override { return lines_.open(std::move(arrived)); }
  void close_line(std::uint64_t line) override { lines_.close(line); }

  void send(Channel channel, std::uint64_t line, std::uint64_t index,
            std::size_t payload_bytes) override {
    const std::uint64_t number = number_of(line, index);
    std::vector<raft::Message> one;
    one.push_back(channel == Channel::kMsgApp ? append(number, payload_bytes)
                                              : heartbeat(channel, number));
    (channel == Channel::kPipeline ? pipeline_ : driver_.transport()).send(std::move(one));
  }

  void send_snapshot(std::uint64_t bytes, std::function<void(bool)> done) override {
    snapshot_done_ = std::move(done);
    raft::Message message = plain(MessageType::kSnap);
    message.has_snapshot = true;
    message.snapshot.data = SharedBytes::copy("{}");
    message.snapshot.metadata = {
        .conf_state = {.voters = {kDriver, kSink}}, .index = raft::Index(1), .term = raft::Term(1)};
    driver_.transport().send_snapshot(std::move(message), std::make_unique<Filler>(bytes));
  }

  std::size_t wire_bytes(Channel channel, std::size_t payload_bytes) const override {
    if (channel != Channel::kMsgApp) {
      raft::Message message = plain(MessageType::kHeartbeat);
      message.context = context_of(channel, 0);
      return raft::encoded(message, raft::MessageForm::k36).size() + 8;
    }
    raft::Entry entry{raft::Term(1), raft::Index(1u << 20)};
    entry.data = SharedBytes::copy(std::string(payload_bytes, 'x'));
    return 1 + 8 + 8 + raft::encoded_size(entry) + 8;
  }
  ChannelWaits waits(Channel channel) const override { return meter_.waits(channel); }
  void reset_waits() override { meter_.reset(); }
  std::uint64_t dropped() const override {
    return driver_.transport().counters().dropped_messages + pipeline_.counters().dropped_messages;
  }

 private:
  /// The far end. Thread: the sink's.
  class Arrivals final : public peer::Sink {
   public:
    explicit Arrivals(SelfRig& rig) : rig_(rig) {}
    void receive(raft::Message message) override {
      const MonoTime at = rig_.clock_.now();
      std::optional<std::uint64_t> number;
      if (message.type == MessageType::kHeartbeat) number = number_in(message.context.view());
      const bool append = message.type == MessageType::kApp && !message.entries.empty();
      if (!number && !append) return;
      const std::uint64_t index = append ? message.entries.back().index.value() : 0;
      rig_.driver_.thread().post([&rig = rig_, number, index, at] {
        if (number) return rig.lines_.arrived(*number, at);
        rig.appended(index, at);
      });
    }
    void report_unreachable(raft::NodeId) override {}
    void report_snapshot(raft::NodeId, bool) override {}
    void removed() override {}

   private:
    SelfRig& rig_;
  };

  /// Our own end. Thread: the driver's.
  class Answers final : public peer::Sink {
   public:
    explicit Answers(SelfRig& rig) : rig_(rig) {}
    void receive(raft::Message) override {}
    void report_unreachable(raft::NodeId) override {}
    void report_snapshot(raft::NodeId, bool delivered) override {
      if (auto done = std::exchange(rig_.snapshot_done_, nullptr)) done(delivered);
    }
    void removed() override {}

   private:
    SelfRig& rig_;
  };

  static peer::Options transport_options(const RigOptions& options) {
    peer::Options out;
    out.snapshot_bytes_per_second = options.snapshot_bytes_per_second;
    return out;
  }

  static raft::Message plain(MessageType type) {
    raft::Message out;
    out.type = type;
    out.from = kDriver;
    out.to = kSink;
    out.term = raft::Term(1);
    return out;
  }

  static raft::Message heartbeat(Channel channel, std::uint64_t number) {
    raft::Message out = plain(MessageType::kHeartbeat);
    out.context = context_of(channel, number);
    return out;
  }

  raft::Message append(std::uint64_t number, std::size_t payload_bytes) {
    raft::Message out = plain(MessageType::kApp);
    out.log_term = raft::Term(1);
    out.index = raft::Index(log_end_++);
    out.commit = out.index;
    if (payload_.size() != payload_bytes) {
      payload_ = SharedBytes::copy(std::string(payload_bytes, 'x'));
    }
    out.entries.push_back(
        {raft::Term(1), raft::Index(log_end_), raft::EntryType::kNormal, payload_});
    appends_.emplace_back(log_end_, number);
    return out;
  }

  /// Entries before it that did not come were dropped.
  void appended(std::uint64_t index, MonoTime at) {
    while (!appends_.empty() && appends_.front().first < index) appends_.pop_front();
    if (appends_.empty() || appends_.front().first != index) return;
    const std::uint64_t number = appends_.front().second;
    appends_.pop_front();
    lines_.arrived(number, at);
  }

  /// Each end dials two streams; both that the sink dials must be there.
  Result<> wait_for_streams() {
    std::promise<bool> attached;
    auto future = attached.get_future();
    const MonoTime until = clock_.now() + kPatience;
    poll_streams(until, attached);
    if (!await(driver_.thread(), std::move(future))) {
      return fail(Code::kUnavailable, "no streams on loopback after 10 s");
    }
    return {};
  }
  void poll_streams(MonoTime until, std::promise<bool>& attached) {
    if (driver_.transport().counters().streams_attached >= 2) return attached.set_value(true);
    if (clock_.now() > until) return attached.set_value(false);
    driver_.thread().post_at(clock_.now() + std::chrono::milliseconds(5),
                             [this, until, &attached] { poll_streams(until, attached); });
  }

  const std::function<std::string(const std::string&)> through_;
  Clock& clock_;
  NullLogger logger_;
  Lines lines_;
  WaitMeter meter_;
  Arrivals arrivals_{*this};
  Answers answers_{*this};
  Station driver_;
  Station sink_;
  peer::Transport pipeline_;  ///< on the driver's thread; knows the sink as a remote, so it posts

  // Thread: the driver's.
  std::uint64_t log_end_ = 1;
  SharedBytes payload_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> appends_;  ///< log index and number
  std::function<void(bool)> snapshot_done_;
};

}  // namespace

Result<std::unique_ptr<Rig>> make_self_rig(Runtime& runtime, const RigOptions& options) {
  auto rig = std::make_unique<SelfRig>(runtime, options);
  TRUSS_TRY(rig->start());
  return rig;
}

}  // namespace truss::peertool
