#pragma once

#include <cstdint>

#include "truss/raft/types.h"

namespace truss::peer {

/// The ways from one member to another.
enum class Channel : std::uint8_t {
  kMessage,   ///< long-lived stream of everything small
  kMsgApp,    ///< long-lived stream of appends
  kPipeline,  ///< POST /raft, while no stream is attached
  kSnapshot,  ///< POST /raft/snapshot
};

/// Watches messages on their way out, for who measures. Without one nothing is lost but a branch.
///
/// Thread: the transport's; must not block.
class Observer {
 public:
  virtual ~Observer() = default;
  /// The message was put on a channel's queue.
  virtual void queued(Channel channel, const raft::Message& message) = 0;
  /// Its bytes were handed to the connection.
  virtual void written(Channel channel, const raft::Message& message) = 0;
};

}  // namespace truss::peer
