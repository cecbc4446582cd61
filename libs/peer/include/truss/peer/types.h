#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/strong.h"
#include "truss/raft/codec.h"
#include "truss/raft/types.h"

namespace truss::peer {

using ClusterId = Strong<struct ClusterIdTag>;

/// Who this member is in the eyes of its peers.
struct Identity {
  raft::NodeId self;
  ClusterId cluster;
  /// `3.4.23`, a release that real members know: one that doesn't parse makes them exit.
  std::string server_version;
  /// Shape of the messages that we write; every shape is read.
  raft::MessageForm form = raft::MessageForm::k36;
  /// Our advertised peer URLs: how members that don't know us yet may answer.
  std::vector<std::string> peer_urls;
};

/// The two long-lived channels from a member to each of its peers.
enum class StreamKind : std::uint8_t {
  kMessage,  ///< everything but appends and snapshots
  kMsgApp,   ///< appends, in the shorter msgappv2 framing
};

}  // namespace truss::peer
