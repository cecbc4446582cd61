#include "peer_metrics_text.h"

#include "truss/server/member.h"

namespace truss::api {
namespace {

using Labels = MetricsText::Labels;

void count_some(MetricsText& out, std::string_view name, std::string_view help, std::uint64_t count,
                Labels labels) {
  if (count > 0) out.counter(name, help, static_cast<double>(count), labels);
}

bool any(const DurationCounts::Sample& durations) {
  for (const std::uint64_t count : durations.counts) {
    if (count > 0) return true;
  }
  return false;
}

void add_link(MetricsText& out, const std::string& self, const std::string& peer,
              const PeerMetrics& p, server::CompatLevel level) {
  const Labels both = {{"Local", self}, {"Remote", peer}};
  out.gauge("etcd_network_active_peers", "The current number of active peer connections.", p.active,
            both);
  if (level >= server::CompatLevel::k36) {
    out.gauge("etcd_network_known_peers", "The current number of known peers.", 1, both);
  }
  count_some(out, "etcd_network_disconnected_peers_total",
             "The total number of disconnected peers.", p.disconnects, both);
}

void add_messages(MetricsText& out, const std::string& peer, const PeerMetrics& p) {
  const Labels to = {{"To", peer}};
  const Labels from = {{"From", peer}};
  count_some(out, "etcd_network_peer_sent_bytes_total", "The total number of bytes sent to peers.",
             p.sent_bytes, to);
  count_some(out, "etcd_network_peer_sent_failures_total",
             "The total number of send failures from peers.", p.sent_failures, to);
  count_some(out, "etcd_network_peer_received_bytes_total",
             "The total number of bytes received from peers.", p.received_bytes, from);
  count_some(out, "etcd_network_peer_received_failures_total",
             "The total number of receive failures from peers.", p.received_failures, from);
  if (any(p.round_trips)) {
    out.histogram("etcd_network_peer_round_trip_time_seconds",
                  "Round-Trip-Time histogram between peers", p.round_trips, to);
  }
}

// `name` and `what` are `send` and `sends`, or `receive` and `receives`.
void add_snapshots(MetricsText& out, const std::string& name, const std::string& what,
                   const SnapshotTraffic& t, Labels labels) {
  const std::string family = "etcd_network_snapshot_" + name;
  count_some(out, family + "_success", "Total number of successful snapshot " + what, t.successes,
             labels);
  count_some(out, family + "_failures", "Total number of snapshot " + name + " failures",
             t.failures, labels);
  if (t.successes + t.failures + t.in_flight == 0) return;
  out.gauge(family + "_inflights_total", "Total number of inflight snapshot " + what,
            static_cast<double>(t.in_flight), labels);
  if (any(t.durations)) {
    out.histogram(family + "_total_duration_seconds",
                  "Total latency distributions of v3 snapshot " + what, t.durations, labels);
  }
}

}  // namespace

void add_peers(MetricsText& out, raft::NodeId self, const std::vector<PeerMetrics>& peers,
               server::CompatLevel level) {
  const std::string local = server::id_text(self);
  for (const PeerMetrics& p : peers) {
    const std::string remote = server::id_text(p.peer);
    add_link(out, local, remote, p, level);
    add_messages(out, remote, p);
    add_snapshots(out, "send", "sends", p.snapshots_sent, {{"To", remote}});
    add_snapshots(out, "receive", "receives", p.snapshots_received, {{"From", remote}});
  }
}

}  // namespace truss::api
