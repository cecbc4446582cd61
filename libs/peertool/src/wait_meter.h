#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>

#include "truss/peertool/rig.h"

namespace truss::peertool {

/// Measures what messages wait for on their way out of a transport. Looks only at those that the
/// rigs send: heartbeats with one of our contexts, and appends with entries.
///
/// Lives on: the transport's thread.
class WaitMeter final : public peer::Observer {
 public:
  explicit WaitMeter(Clock& clock) : clock_(clock) {}

  void queued(Channel channel, const raft::Message& message) override;
  void written(Channel channel, const raft::Message& message) override;

  ChannelWaits waits(Channel channel) const { return lane(channel).waits; }
  void reset();

 private:
  struct Lane {
    absl::flat_hash_map<std::uint64_t, MonoTime> queued;
    MonoTime last_written{};
    ChannelWaits waits;
  };
  Lane& lane(Channel channel) { return lanes_[static_cast<std::size_t>(channel)]; }
  const Lane& lane(Channel channel) const { return lanes_[static_cast<std::size_t>(channel)]; }

  Clock& clock_;
  std::array<Lane, 4> lanes_;
};

}  // namespace truss::peertool
