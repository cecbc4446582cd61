#pragma once

#include <vector>

#include "metrics_text.h"
#include "truss/api/peer_metrics.h"
#include "truss/server/compat.h"

namespace truss::api {

/// The families `etcd_network_*` of the peers of `self`. What never happened has no sample, as in
/// etcd.
void add_peers(MetricsText& out, raft::NodeId self, const std::vector<PeerMetrics>& peers,
               server::CompatLevel level);

}  // namespace truss::api
