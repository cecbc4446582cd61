#pragma once

#include <vector>

#include "truss/api/peer_metrics.h"
#include "truss/peer/transport.h"

namespace truss::member {

/// What /metrics shows of the peers. Thread: any.
std::vector<api::PeerMetrics> peer_metrics(const peer::Transport& peers);

}  // namespace truss::member
