// What a member says of itself in its /metrics.
#include "metrics_text.h"

#include <doctest/doctest.h>

#include <cmath>

#include "member_watch.h"

using namespace truss;
using namespace truss::peertool;

namespace {

constexpr const char* kBefore = R"(# HELP etcd_server_slow_apply_total x
etcd_server_proposals_committed_total 1000
etcd_server_proposals_applied_total 990
etcd_server_slow_apply_total 1
etcd_network_peer_sent_failures_total{To="a"} 3
etcd_network_peer_sent_failures_total{To="b"} 4
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 100
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 100
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 100
etcd_disk_backend_commit_duration_seconds_bucket{le="0.004"} 110
etcd_disk_backend_commit_duration_seconds_bucket{le="+Inf"} 110
)";
constexpr const char* kAfter = R"(etcd_server_proposals_committed_total 1.3e+03
etcd_server_proposals_applied_total 1190
etcd_server_slow_apply_total 5
etcd_network_peer_sent_failures_total{To="a"} 13
etcd_network_peer_sent_failures_total{To="b"} 4
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 100
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 300
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 300
etcd_disk_backend_commit_duration_seconds_bucket{le="0.004"} 120
etcd_disk_backend_commit_duration_seconds_bucket{le="+Inf"} 120
)";

}  // namespace

TEST_CASE("samples are added up over their labels, and names that only begin alike are others") {
  const MetricsText text("up 1\nup_total 5\nup{a=\"b c\"} 2\nnot_up 9\nup bad\n");
  CHECK(text.sum("up") == 3);
  CHECK(text.sum("down") == std::nullopt);
  CHECK(MetricsText("").sum("up") == std::nullopt);
  CHECK(MetricsText("up").sum("up") == std::nullopt);
}

TEST_CASE("quantiles lie straight between the bounds of a bucket") {
  const CumulativeCounts counts = {{1, 50}, {2, 100}, {INFINITY, 100}};
  CHECK(quantile_of(counts, 0.5) == doctest::Approx(1));
  CHECK(quantile_of(counts, 0.75) == doctest::Approx(1.5));
  CHECK(quantile_of({{1, 1}, {INFINITY, 2}}, 0.99) == doctest::Approx(1));
  CHECK(quantile_of({}, 0.99) == 0);
}

TEST_CASE("two readings tell what happened between them, or since the start if that was little") {
  MemberFindings found;
  compare_readings(MetricsText(kBefore), MetricsText(kAfter), found);
  CHECK(found.not_applied == 110);
  CHECK(found.applied == 200);
  CHECK(found.slow_applies == 4);
  CHECK(found.dropped == 10);
  CHECK(found.sync.count == 200);
  CHECK(found.sync.p99_ms == doctest::Approx(1.99));
  CHECK_FALSE(found.sync.since_start);
  CHECK(found.commit.count == 120);
  CHECK(found.commit.since_start);
}

TEST_CASE("a hundred syncs are the least that tells a 99th percentile") {
  MemberFindings found;
  compare_readings(MetricsText(),
                   MetricsText("etcd_disk_wal_fsync_duration_seconds_bucket{le=\"+Inf"
                               "\"} 99\n"),
                   found);
  CHECK(found.sync.count == 0);
}

TEST_CASE("a member that was started anew counts from nothing") {
  MemberFindings found;
  compare_readings(MetricsText(kAfter), MetricsText(kBefore), found);
  CHECK(found.slow_applies == 1);
  CHECK(found.sync.count == 100);
}
