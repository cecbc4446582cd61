#include "peer_metrics.h"

namespace truss::member {
namespace {

api::SnapshotTraffic traffic_of(const peer::SnapshotCounts& counts) {
  return {counts.successes, counts.failures, counts.in_flight, counts.durations.sample()};
}

}  // namespace

std::vector<api::PeerMetrics> peer_metrics(const peer::Transport& peers) {
  std::vector<api::PeerMetrics> out;
  for (const peer::Link& link : peers.links()) {
    const peer::LinkCounts& c = *link.counts;
    out.push_back({.peer = link.peer,
                   .active = link.active,
                   .disconnects = c.disconnects,
                   .sent_bytes = c.sent_bytes,
                   .sent_failures = c.sent_failures,
                   .received_bytes = c.received_bytes,
                   .received_failures = c.received_failures,
                   .round_trips = c.round_trips.sample(),
                   .snapshots_sent = traffic_of(c.snapshots_sent),
                   .snapshots_received = traffic_of(c.snapshots_received)});
  }
  return out;
}

}  // namespace truss::member
