#include "metrics_text.h"

#include <doctest/doctest.h>

#include <limits>

#include "peer_metrics_text.h"

using namespace truss::api;

TEST_CASE("metrics: numbers print as Go prints them") {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {1, "1"},
      {0.001, "0.001"},
      {999999, "999999"},
      {1e6, "1e+06"},
      {2147483648.0, "2.147483648e+09"},
      {1.5, "1.5"},
      {0.00005, "5e-05"},
      {-3, "-3"},
      {1572864, "1.572864e+06"},
      {std::numeric_limits<double>::infinity(), "+Inf"}};
  for (const auto& [value, text] : cases) CHECK(go_float(value) == text);
}

TEST_CASE("metrics: families by name, labels escaped") {
  MetricsText out;
  out.gauge("b", "Second.", 2);
  out.counter("a", "First.", 1, {{"x", "q\"\\\n"}, {"y", "z"}});
  out.counter("a", "First.", 3, {{"x", "p"}, {"y", "z"}});
  CHECK(out.text() ==
        "# HELP a First.\n# TYPE a counter\na{x=\"q\\\"\\\\\\n\",y=\"z\"} 1\na{x=\"p\",y=\"z\"} 3\n"
        "# HELP b Second.\n# TYPE b gauge\nb 2\n");
}

TEST_CASE("metrics: histograms count up, in the unit of their name") {
  truss::DurationCounts counts(std::chrono::microseconds(500), 2);
  for (const int us : {400, 500, 501, 1000, 5000}) counts.add(std::chrono::microseconds(us));
  MetricsText out;
  out.histogram("h_milliseconds", "H.", counts.sample(), {{"To", "a"}},
                std::chrono::milliseconds(1));
  CHECK(out.text() ==
        "# HELP h_milliseconds H.\n# TYPE h_milliseconds histogram\n"
        "h_milliseconds_bucket{To=\"a\",le=\"0.5\"} 2\n"
        "h_milliseconds_bucket{To=\"a\",le=\"1\"} 4\n"
        "h_milliseconds_bucket{To=\"a\",le=\"+Inf\"} 5\n"
        "h_milliseconds_sum{To=\"a\"} 7.401\nh_milliseconds_count{To=\"a\"} 5\n");
}

TEST_CASE("metrics: a peer's families, but not what never happened") {
  PeerMetrics quiet;
  quiet.peer = truss::raft::NodeId(0xb);
  PeerMetrics busy;
  busy.peer = truss::raft::NodeId(0xc);
  busy.active = true;
  busy.sent_bytes = 7;
  busy.received_failures = 2;
  busy.snapshots_sent.successes = 1;
  MetricsText out;
  add_peers(out, truss::raft::NodeId(0xa), {quiet, busy}, truss::server::CompatLevel::k34);
  const std::string text = out.text();
  for (const char* line :
       {"etcd_network_active_peers{Local=\"a\",Remote=\"b\"} 0\n",
        "etcd_network_active_peers{Local=\"a\",Remote=\"c\"} 1\n",
        "etcd_network_peer_sent_bytes_total{To=\"c\"} 7\n",
        "etcd_network_peer_received_failures_total{From=\"c\"} 2\n",
        "# HELP etcd_network_snapshot_send_success Total number of successful snapshot sends\n",
        "etcd_network_snapshot_send_success{To=\"c\"} 1\n",
        "etcd_network_snapshot_send_inflights_total{To=\"c\"} 0\n"}) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
  }
  for (const char* absent : {"To=\"b\"", "disconnected", "known_peers", "receive_success"}) {
    CHECK_MESSAGE(text.find(absent) == std::string::npos, absent);
  }
}
