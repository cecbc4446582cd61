#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "lines.h"
#include "station.h"
#include "truss/common/log.h"
#include "truss/peertool/rig.h"
#include "wait_meter.h"

namespace truss::peertool {

/// The end of a rig that sends, whoever is at the other: a station, a second transport on its
/// thread whose messages all go through the pipeline, and what measures both.
///
/// Thread: as Rig.
class DrivingRig : public Rig {
 public:
  Executor& executor() final { return station_.thread(); }
  Clock& clock() final { return clock_; }
  std::uint64_t open_line(Arrived arrived) final { return lines_.open(std::move(arrived)); }
  void close_line(std::uint64_t line) final { lines_.close(line); }
  ChannelWaits waits(Channel channel) const final { return meter_.waits(channel); }
  void reset_waits() final { meter_.reset(); }
  std::uint64_t dropped() const final {
    return station_.transport().counters().dropped_messages + pipeline_.counters().dropped_messages;
  }

 protected:
  /// What comes back to a driver: a subclass says what of it matters. Thread: the station's.
  class Inbox : public peer::Sink {
   public:
    void receive(raft::Message) override {}
    void report_unreachable(raft::NodeId) override {}
    void report_snapshot(raft::NodeId, bool delivered) final {
      if (auto done = std::exchange(snapshot_done_, nullptr)) done(delivered);
    }
    void removed() final {}

   private:
    friend DrivingRig;
    std::function<void(bool)> snapshot_done_;
  };

  DrivingRig(Runtime& runtime, const RigOptions& options, Inbox& inbox);
  ~DrivingRig() override = default;

  /// Both transports as `who`, with `target` at `url`. After Station::listen().
  void start_driving(const peer::Identity& who, raft::NodeId target, const std::string& url);
  /// No message comes or goes after this, and all that was posted to the thread has run.
  void stop_driving();

  /// On the message stream, or through the pipeline.
  void send_small(Channel channel, raft::Message message);
  /// \param message  with `to`, `from` and `term`; becomes a snapshot of `metadata`
  void send_filler(raft::Message message, raft::SnapshotMetadata metadata, std::uint64_t bytes,
                   std::function<void(bool)> done);
  /// The streams that the other end dials.
  bool streams_attached() const { return station_.transport().counters().streams_attached >= 2; }
  bool stopped() const { return go_on_ && !go_on_(); }

  Clock& clock_;
  NullLogger logger_;
  Lines lines_;

 private:
  const std::function<bool()> go_on_;
  Inbox& inbox_;
  WaitMeter meter_;

 protected:
  Station station_;

 private:
  peer::Transport pipeline_;  ///< knows the target as a remote, so it posts
};

/// As a rig's transports are set up.
peer::Options transport_options(const RigOptions& options);

}  // namespace truss::peertool
