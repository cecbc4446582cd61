#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "truss/net/call.h"
#include "truss/net/http.h"
#include "truss/peer/types.h"

/// The header fields of raft traffic and the gate that a request must pass. *Thread:* any.
/// *Source:* etcd rafthttp/http.go and util.go (checkClusterCompatibilityFromHeader).
namespace truss::peer {

/// The lowest version that we, as every 3.4 to 3.7, speak with.
inline constexpr std::string_view kMinClusterVersion = "3.0.0";

/// Fields of a request from `who`. Streams name their target in `to`, POSTs leave it out.
net::Metadata raft_headers(const Identity& who, std::optional<raft::NodeId> to);

enum class Gate : std::uint8_t {
  kPass,
  kIncompatibleVersion,  ///< 412 `incompatible version`
  kClusterMismatch,      ///< 412 `cluster ID mismatch`
};

/// Looks at X-Server-Version, X-Min-Cluster-Version (missing: 2.0.0), then X-Etcd-Cluster-ID, which
/// is compared as text. A version that doesn't parse, on which etcd's handler panics, is
/// incompatible here.
Gate check_gate(const net::HttpRequest& request, const Identity& who);

/// What a dialled server announces.
enum class RemoteVersion : std::uint8_t {
  kFine,
  kNoStreams,  ///< older than us and before 2.1, or not a version at all
};
/// \param header  X-Server-Version of its response, empty if missing (2.0.0)
RemoteVersion check_remote_version(std::string_view header, const Identity& who);

}  // namespace truss::peer
