#include "metrics.h"

#include "metrics_text.h"
#include "process_stats.h"
#include "truss/mvcc/store.h"

namespace truss::api {
namespace {

// Names as Go's codes.Code prints them.
constexpr std::string_view kCodeNames[] = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

double num(std::uint64_t v) { return static_cast<double>(v); }
double num(std::int64_t v) { return static_cast<double>(v); }

std::string_view grpc_type(const Method& m) {
  if (m.client_streaming) return m.server_streaming ? "bidi_stream" : "client_stream";
  return m.server_streaming ? "server_stream" : "unary";
}

void add_method(MetricsText& out, const Method& m) {
  const std::string_view type = grpc_type(m);
  const MetricsText::Labels labels = {
      {"grpc_method", m.name}, {"grpc_service", m.service}, {"grpc_type", type}};
  out.counter("grpc_server_started_total", "Total number of RPCs started on the server.",
              num(m.counters.started.load()), labels);
  out.counter("grpc_server_msg_received_total",
              "Total number of RPC stream messages received on the server.",
              num(m.counters.received.load()), labels);
  out.counter("grpc_server_msg_sent_total",
              "Total number of gRPC stream messages sent by the server.",
              num(m.counters.sent.load()), labels);
  for (std::size_t code = 0; code < std::size(kCodeNames); ++code) {
    out.counter("grpc_server_handled_total",
                "Total number of RPCs completed on the server, regardless of success or failure.",
                num(m.counters.handled[code].load()),
                {{"grpc_code", kCodeNames[code]},
                 {"grpc_method", m.name},
                 {"grpc_service", m.service},
                 {"grpc_type", type}});
  }
}

void add_server(MetricsText& out, const Context& context) {
  const server::Status s = context.server.status();
  const server::Counters c = context.server.counters();
  out.gauge("etcd_server_has_leader", "Whether this member knows a leader: 1 or 0.",
            s.leader != raft::kNoNode);
  out.gauge("etcd_server_is_leader", "Whether this member is the leader: 1 or 0.", s.is_leader);
  out.gauge("etcd_server_is_learner", "Whether this member is a learner: 1 or 0.", s.is_learner);
  out.counter("etcd_server_leader_changes_seen_total", "Leader changes seen.",
              num(c.leader_changes));
  out.gauge("etcd_server_proposals_committed_total", "Index of the last committed entry.",
            num(c.proposals_committed));
  out.gauge("etcd_server_proposals_applied_total", "Index of the last applied entry.",
            num(c.proposals_applied));
  out.gauge("etcd_server_proposals_pending", "Proposals waiting to be committed.",
            num(c.proposals_pending));
  out.counter("etcd_server_proposals_failed_total", "Proposals that failed.",
              num(c.proposals_failed));
  out.counter("etcd_server_read_indexes_failed_total", "Read index requests that failed.",
              num(c.read_indexes_failed));
  out.counter("etcd_server_slow_apply_total", "Applies that took too long.", num(c.slow_applies));
  out.gauge("etcd_server_quota_backend_bytes", "Backend quota in effect, bytes.",
            num(s.quota_bytes));
  out.gauge("etcd_server_id", "Member id, as label.", 1,
            {{"server_id", server::id_text(context.server.member_id())}});
  out.gauge("etcd_server_version", "Version that this member announces, as label.", 1,
            {{"server_version", s.version}});
  if (!s.cluster_version.empty()) {
    const std::string version = s.cluster_version.substr(0, s.cluster_version.rfind('.'));
    out.gauge("etcd_cluster_version", "Version of the cluster, as label.", 1,
              {{"cluster_version", version}});
  }
  out.counter("etcd_debugging_server_lease_expired_total", "Leases expired.",
              num(c.leases_expired));
  out.gauge("etcd_disk_wal_write_bytes_total", "Bytes written to the WAL.",
            num(c.wal_bytes_written));
  out.histogram("etcd_disk_wal_fsync_duration_seconds", "How long syncs of the WAL took.",
                c.wal_sync_durations);
  out.histogram("etcd_disk_backend_commit_duration_seconds",
                "How long commits of the database took.", c.backend_commit_durations);
  out.gauge("etcd_mvcc_db_total_size_in_bytes", "Size of the database file, bytes.",
            num(s.db_size_bytes));
  out.gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Bytes of it that are in use.",
            num(s.db_in_use_bytes));
}

void add_store(MetricsText& out, const Context& context) {
  mvcc::Store& store = context.server.store();
  const mvcc::WatchStats w = store.watch_stats();
  out.gauge("etcd_debugging_mvcc_keys_total", "Keys in the index, deleted ones included.",
            num(store.index_size()));
  out.gauge("etcd_debugging_mvcc_current_revision", "Current revision of the store.",
            num(store.current_revision()));
  out.gauge("etcd_debugging_mvcc_compact_revision", "Last compaction's revision.",
            num(store.compact_revision()));
  out.gauge("etcd_debugging_mvcc_watch_stream_total", "Open watch streams.", num(w.streams));
  out.gauge("etcd_debugging_mvcc_watcher_total", "Watches.", num(w.watchers));
  out.gauge("etcd_debugging_mvcc_slow_watcher_total", "Watches behind the store.",
            num(w.slow_watchers));
  out.counter("etcd_debugging_mvcc_events_total", "Events sent to watches.", num(w.events_total));
  out.gauge("etcd_debugging_mvcc_pending_events_total", "Events waiting to be sent.",
            num(w.pending_events));
}

void add_operations(MetricsText& out, const Context& context) {
  const mvcc::StoreCounters c = context.server.store().counters();
  out.counter("etcd_mvcc_range_total", "Ranges read.", num(c.ranges));
  out.counter("etcd_mvcc_put_total", "Keys put.", num(c.puts));
  out.counter("etcd_mvcc_delete_total", "Deletes.", num(c.deletes));
  out.counter("etcd_mvcc_txn_total", "Transactions of several operations.", num(c.txns));
  out.gauge("etcd_debugging_mvcc_total_put_size_in_bytes", "Bytes of keys and values put.",
            num(c.put_bytes));
  if (context.level() < server::CompatLevel::k35) {  // the older names of the same counts
    out.counter("etcd_debugging_mvcc_put_total", "Keys put.", num(c.puts));
    out.counter("etcd_debugging_mvcc_delete_total", "Deletes.", num(c.deletes));
    out.counter("etcd_debugging_mvcc_txn_total", "Transactions of several operations.",
                num(c.txns));
  }
  if (context.level() <= server::CompatLevel::k35) {
    out.counter("etcd_debugging_mvcc_range_total", "Ranges read.", num(c.ranges));
  }
  const lease::LeaseCounters l = context.server.lessor().counters();
  out.counter("etcd_debugging_lease_granted_total", "Leases granted.", num(l.granted));
  out.counter("etcd_debugging_lease_revoked_total", "Leases revoked.", num(l.revoked));
  out.counter("etcd_debugging_lease_renewed_total", "Leases renewed.", num(l.renewed));
}

void add_alarms(MetricsText& out, const Context& context) {
  if (context.level() < server::CompatLevel::k36) return;
  for (const auto& alarm : context.server.alarms()) {
    out.gauge("etcd_debugging_server_alarms", "Alarms, as labels.", 1,
              {{"alarm_type", alarm.alarm == server::AlarmType::kNoSpace ? "NOSPACE" : "CORRUPT"},
               {"server_id", server::id_text(alarm.member)}});
  }
}

void add_process(MetricsText& out) {
  const ProcessStats p = read_process_stats();
  out.counter("process_cpu_seconds_total", "User and system CPU time, seconds.", p.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory, bytes.", num(p.resident_bytes));
  out.gauge("process_virtual_memory_bytes", "Virtual memory, bytes.", num(p.virtual_bytes));
  out.gauge("process_start_time_seconds", "Start of the process, Unix time, seconds.",
            p.start_seconds);
  out.gauge("process_open_fds", "Open file descriptors.", num(p.open_fds));
  out.gauge("process_max_fds", "Most file descriptors that may be open.", num(p.max_fds));
  out.gauge("os_fd_used", "Open file descriptors.", num(p.open_fds));
  out.gauge("os_fd_limit", "Most file descriptors that may be open.", num(p.max_fds));
}

}  // namespace

std::string metrics_scrape(const Context& context, const Dispatcher& dispatcher,
                           const HealthCounters& health) {
  MetricsText out;
  for (const auto& [path, method] : dispatcher.methods().all()) add_method(out, *method);
  for (const auto& [key, count] : dispatcher.client_requests()) {
    out.counter("etcd_server_client_requests_total", "Client requests, by API version.", num(count),
                {{"client_api_version", key.second}, {"type", key.first}});
  }
  out.counter("etcd_server_health_success", "Checks of /health that were fine.",
              num(health.successes.load()));
  out.counter("etcd_server_health_failures", "Checks of /health that failed.",
              num(health.failures.load()));
  add_server(out, context);
  add_store(out, context);
  add_operations(out, context);
  add_alarms(out, context);
  add_process(out);
  return out.text();
}

}  // namespace truss::api
