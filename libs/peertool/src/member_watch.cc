#include "member_watch.h"

#include <algorithm>

#include "truss/peer/bodies.h"
#include "truss/peer/text.h"

namespace truss::peertool {
namespace {

/// Fewer say nothing of a 99th percentile.
constexpr double kEnough = 100;

double grown(const MetricsText& before, const MetricsText& after, const char* name) {
  const double now = after.sum(name).value_or(0);
  const double then = before.sum(name).value_or(0);
  return now >= then ? now - then : now;
}

double waiting(const MetricsText& reading) {
  return reading.sum("etcd_server_proposals_committed_total").value_or(0) -
         reading.sum("etcd_server_proposals_applied_total").value_or(0);
}

SelfReported reported(const MetricsText& before, const MetricsText& after, const char* name) {
  const CumulativeCounts all = after.buckets(name);
  const CumulativeCounts lately = growth(before.buckets(name), all);
  const bool enough = count_of(lately) >= kEnough;
  const CumulativeCounts& counts = enough ? lately : all;
  if (count_of(counts) < kEnough) return {};
  return {.count = static_cast<std::uint64_t>(count_of(counts)),
          .p99_ms = quantile_of(counts, 0.99) * 1e3,
          .since_start = !enough};
}

}  // namespace

void compare_readings(const MetricsText& before, const MetricsText& after, MemberFindings& out) {
  out.not_applied = std::max({waiting(before), waiting(after), 0.0});
  out.applied = grown(before, after, "etcd_server_proposals_applied_total");
  out.slow_applies = grown(before, after, "etcd_server_slow_apply_total");
  out.dropped = grown(before, after, "etcd_network_peer_sent_failures_total");
  out.late_heartbeats = grown(before, after, "etcd_server_heartbeat_send_failures_total");
  out.leader_changes = grown(before, after, "etcd_server_leader_changes_seen_total");
  out.sync = reported(before, after, "etcd_disk_wal_fsync_duration_seconds");
  out.commit = reported(before, after, "etcd_disk_backend_commit_duration_seconds");
}

MemberWatch::MemberWatch(Runtime& runtime, std::vector<std::string> peers, Duration timeout)
    : clock_(runtime.clock()), getter_(runtime, "metrics", timeout), peers_(std::move(peers)) {}

void MemberWatch::meet_members() {
  for (std::string url : peers_) {
    while (url.ends_with('/')) url.pop_back();
    const auto answer = getter_.get(url + "/members");
    if (!answer) continue;
    const auto members = peer::parse_members(answer->body);
    if (!members) continue;
    for (const peer::MemberInfo& member : *members) {
      Subject& subject = subjects_.emplace_back();
      subject.findings.name = member.name.empty() ? peer::id_text(member.id.value()) : member.name;
      if (!member.client_urls.empty()) subject.findings.url = member.client_urls.front();
    }
    return;
  }
}

void MemberWatch::read(Subject& subject) {
  auto answer = getter_.get(subject.findings.url + "/metrics");
  if (!answer) {
    subject.findings.error = answer.error().message;
    return;
  }
  const MonoTime now = clock_.now();
  MetricsText after(std::move(answer->body));
  if (subject.read_at != MonoTime{}) {
    subject.findings.seconds = std::chrono::duration<double>(now - subject.read_at).count();
    compare_readings(subject.before, after, subject.findings);
  }
  subject.before = std::move(after);
  subject.read_at = now;
}

void MemberWatch::begin() {
  meet_members();
  for (Subject& subject : subjects_) {
    if (subject.findings.url.empty()) {
      subject.findings.error = "it has published no client URL";
    } else {
      read(subject);
    }
  }
}

std::vector<MemberFindings> MemberWatch::end() {
  std::vector<MemberFindings> out;
  for (Subject& subject : subjects_) {
    if (subject.findings.error.empty()) read(subject);
    out.push_back(subject.findings);
  }
  return out;
}

}  // namespace truss::peertool
