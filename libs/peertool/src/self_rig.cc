// Both ends in this process: a driver and a sink, each with a peer port and a thread.
#include <deque>
#include <future>

#include "driving_rig.h"
#include "numbers.h"
#include "truss/common/await.h"

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

class SelfRig final : public DrivingRig {
 public:
  SelfRig(Runtime& runtime, const RigOptions& options)
      : DrivingRig(runtime, options, answers_),
        through_(options.through),
        sink_(runtime, logger_, "sink", transport_options(options)) {}

  ~SelfRig() override {
    sink_.stop();
    stop_driving();
  }

  Result<> start() {
    TRUSS_TRY(station_.listen());
    TRUSS_TRY(sink_.listen());
    sink_.start(identity(kSink, sink_.url()), arrivals_);
    start_driving(identity(kDriver, station_.url()), kSink, seen_from_outside(sink_.url()));
    sink_.transport().add_peer(kDriver, {seen_from_outside(station_.url())});
    return wait_for_streams();
  }

  std::string subject() const override { return "self"; }
  std::string measured() const override { return "one way"; }

  void send(Channel channel, std::uint64_t line, std::uint64_t index,
            std::size_t payload_bytes) override {
    const std::uint64_t number = number_of(line, index);
    send_small(channel, channel == Channel::kMsgApp ? append(number, payload_bytes)
                                                    : heartbeat(channel, number));
  }

  void send_snapshot(std::uint64_t bytes, std::function<void(bool)> done) override {
    send_filler(plain(MessageType::kSnap),
                {.conf_state = {.voters = {kDriver, kSink}},
                 .index = raft::Index(1),
                 .term = raft::Term(1)},
                bytes, std::move(done));
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
      rig_.station_.thread().post([&rig = rig_, number, index, at] {
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

  std::string seen_from_outside(const std::string& url) const {
    return through_ ? through_(url) : url;
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
    if (await(station_.thread(), std::move(future))) return {};
    if (stopped()) return fail(Code::kCanceled, "interrupted");
    return fail(Code::kUnavailable, "no streams on loopback after 10 s");
  }
  void poll_streams(MonoTime until, std::promise<bool>& attached) {
    if (streams_attached()) return attached.set_value(true);
    if (clock_.now() > until || stopped()) return attached.set_value(false);
    station_.thread().post_at(clock_.now() + std::chrono::milliseconds(5),
                              [this, until, &attached] { poll_streams(until, attached); });
  }

  const std::function<std::string(const std::string&)> through_;
  Arrivals arrivals_{*this};
  Inbox answers_;
  Station sink_;

  // Thread: the station's.
  std::uint64_t log_end_ = 1;
  SharedBytes payload_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> appends_;  ///< log index and number
};

}  // namespace

Result<std::unique_ptr<Rig>> make_self_rig(Runtime& runtime, const RigOptions& options) {
  auto rig = std::make_unique<SelfRig>(runtime, options);
  TRUSS_TRY(rig->start());
  return rig;
}

}  // namespace truss::peertool
