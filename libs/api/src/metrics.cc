#include "metrics.h"

#include "metrics_text.h"
#include "peer_metrics_text.h"
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

// Help texts are etcd's: dashboards show them.
void add_consensus(MetricsText& out, const server::Status& s, const server::Counters& c) {
  out.gauge("etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.",
            s.leader != raft::kNoNode);
  out.gauge("etcd_server_is_leader",
            "Whether or not this member is a leader. 1 if is, 0 otherwise.", s.is_leader);
  out.gauge("etcd_server_is_learner",
            "Whether or not this member is a learner. 1 if is, 0 otherwise.", s.is_learner);
  out.counter("etcd_server_leader_changes_seen_total", "The number of leader changes seen.",
              num(c.leader_changes));
  out.counter("etcd_server_learner_promote_successes",
              "The total number of successful learner promotions while this member is leader.",
              num(c.learners_promoted));
  out.counter("etcd_server_heartbeat_send_failures_total",
              "The total number of leader heartbeat send failures (likely overloaded from slow "
              "disk).",
              num(c.late_heartbeats));
  out.gauge("etcd_server_proposals_committed_total",
            "The total number of consensus proposals committed.", num(c.proposals_committed));
  out.gauge("etcd_server_proposals_applied_total",
            "The total number of consensus proposals applied.", num(c.proposals_applied));
  out.gauge("etcd_server_proposals_pending", "The current number of pending proposals to commit.",
            num(c.proposals_pending));
  out.counter("etcd_server_proposals_failed_total", "The total number of failed proposals seen.",
              num(c.proposals_failed));
  out.counter("etcd_server_read_indexes_failed_total",
              "The total number of failed read indexes seen.", num(c.read_indexes_failed));
  out.counter("etcd_server_slow_read_indexes_total",
              "The total number of pending read indexes not in sync with leader's or timed out "
              "read index requests.",
              num(c.slow_read_indexes));
  out.counter("etcd_server_slow_apply_total",
              "The total number of slow apply requests (likely overloaded from slow disk).",
              num(c.slow_applies));
  out.gauge("etcd_server_snapshot_apply_in_progress_total",
            "1 if the server is applying the incoming snapshot. 0 if none.", c.applying_snapshot);
}

void add_identity(MetricsText& out, const Context& context, const server::Status& s) {
  out.gauge("etcd_server_id",
            "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
            1, {{"server_id", server::id_text(context.server.member_id())}});
  out.gauge("etcd_server_version",
            "Which version is running. 1 for 'server_version' label with current version.", 1,
            {{"server_version", s.version}});
  out.gauge("etcd_server_go_version",
            "Which Go version server is running with. 1 for 'server_go_version' label with current "
            "version.",
            1, {{"server_go_version", "none (C++20)"}});
  if (s.cluster_version.empty()) return;
  const std::string version = s.cluster_version.substr(0, s.cluster_version.rfind('.'));
  out.gauge("etcd_cluster_version",
            "Which version is running. 1 for 'cluster_version' label with current cluster version",
            1, {{"cluster_version", version}});
}

void add_disk(MetricsText& out, const server::Counters& c) {
  out.gauge("etcd_disk_wal_write_bytes_total", "Total number of bytes written in WAL.",
            num(c.wal_bytes_written));
  out.histogram("etcd_disk_wal_fsync_duration_seconds",
                "The latency distributions of fsync called by WAL.", c.wal_sync_durations);
  out.histogram("etcd_disk_backend_commit_duration_seconds",
                "The latency distributions of commit called by backend.",
                c.backend_commit_durations);
  out.histogram("etcd_debugging_disk_backend_commit_rebalance_duration_seconds",
                "The latency distributions of commit.rebalance called by bboltdb backend.",
                c.backend_rebalance_durations);
  out.histogram("etcd_debugging_disk_backend_commit_spill_duration_seconds",
                "The latency distributions of commit.spill called by bboltdb backend.",
                c.backend_spill_durations);
  out.histogram("etcd_debugging_disk_backend_commit_write_duration_seconds",
                "The latency distributions of commit.write called by bboltdb backend.",
                c.backend_write_durations);
  out.histogram("etcd_disk_backend_defrag_duration_seconds",
                "The latency distribution of backend defragmentation.",
                c.backend_defragment_durations);
  out.gauge("etcd_disk_defrag_inflight",
            "Whether or not defrag is active on the member. 1 means active, 0 means not.",
            c.defragmenting);
  out.histogram("etcd_disk_backend_snapshot_duration_seconds",
                "The latency distribution of backend snapshots.", c.backend_snapshot_durations);
  out.histogram("etcd_snap_fsync_duration_seconds",
                "The latency distributions of fsync called by snap.", c.snap_sync_durations);
  out.histogram("etcd_debugging_snap_save_marshalling_duration_seconds",
                "The marshalling cost distributions of save called by snapshot.",
                c.snap_encoding_durations);
  out.histogram("etcd_debugging_snap_save_total_duration_seconds",
                "The total latency distributions of save called by snapshot.",
                c.snap_save_durations);
}

void add_database(MetricsText& out, const Context& context, const server::Status& s,
                  const server::Counters& c) {
  constexpr std::string_view kSizeHelp =
      "Total size of the underlying database physically allocated in bytes.";
  out.gauge("etcd_mvcc_db_total_size_in_bytes", kSizeHelp, num(s.db_size_bytes));
  if (context.level() < server::CompatLevel::k35) {
    out.gauge("etcd_debugging_mvcc_db_total_size_in_bytes", kSizeHelp, num(s.db_size_bytes));
  }
  out.gauge("etcd_mvcc_db_total_size_in_use_in_bytes",
            "Total size of the underlying database logically in use in bytes.",
            num(s.db_in_use_bytes));
  out.gauge("etcd_mvcc_db_open_read_transactions", "The number of currently open read transactions",
            num(c.open_read_transactions));
  out.gauge("etcd_server_quota_backend_bytes", "Current backend storage quota size in bytes.",
            num(s.quota_bytes));
  out.gauge("etcd_debugging_auth_revision", "The current revision of auth store.",
            num(c.auth_revision));
  out.histogram("etcd_mvcc_hash_duration_seconds",
                "The latency distribution of storage hash operation.", c.backend_hash_durations);
}

void add_watches(MetricsText& out, const mvcc::Store& store) {
  const mvcc::WatchStats w = store.watch_stats();
  out.gauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.",
            num(w.streams));
  out.gauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.", num(w.watchers));
  out.gauge("etcd_debugging_mvcc_slow_watcher_total", "Total number of unsynced slow watchers.",
            num(w.slow_watchers));
  out.counter("etcd_debugging_mvcc_events_total", "Total number of events sent by this member.",
              num(w.events_total));
  out.gauge("etcd_debugging_mvcc_pending_events_total",
            "Total number of pending events to be sent.", num(w.pending_events));
}

void add_store(MetricsText& out, const mvcc::Store& store, server::CompatLevel level) {
  const mvcc::StoreMetrics& m = store.metrics();
  constexpr Duration kMillisecond = std::chrono::milliseconds(1);
  out.gauge("etcd_debugging_mvcc_keys_total", "Total number of keys.", num(store.live_keys()));
  out.gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.",
            num(store.current_revision()));
  out.gauge("etcd_debugging_mvcc_compact_revision", "The revision of the last compaction in store.",
            num(store.compact_revision()));
  out.counter("etcd_debugging_mvcc_db_compaction_keys_total", "Total number of db keys compacted.",
              num(m.compacted_records.load()));
  out.histogram("etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
                "Bucketed histogram of index compaction pause duration.", m.index_pauses.sample(),
                {}, kMillisecond);
  out.histogram("etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
                "Bucketed histogram of db compaction pause duration.", m.slices.sample(), {},
                kMillisecond);
  out.histogram("etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
                "Bucketed histogram of db compaction total duration.", m.compactions.sample(), {},
                kMillisecond);
  if (level >= server::CompatLevel::k35) {
    out.gauge("etcd_debugging_mvcc_db_compaction_last",
              "The unix time of the last db compaction. Resets to 0 on start.",
              num(m.last_compaction_seconds.load()));
  }
  out.histogram("etcd_mvcc_hash_rev_duration_seconds",
                "The latency distribution of storage hash by revision operation.",
                m.hashes.sample());
}

// One count under its name, and under the older ones that `aliased` levels still have.
void add_operation(MetricsText& out, std::string_view what, std::string_view help,
                   std::uint64_t count, bool aliased) {
  const std::string tail = "mvcc_" + std::string(what) + "_total";
  out.counter("etcd_" + tail, help, num(count));
  if (aliased) out.counter("etcd_debugging_" + tail, help, num(count));
}

void add_operations(MetricsText& out, const mvcc::Store& store, server::CompatLevel level) {
  const mvcc::StoreCounters c = store.counters();
  const bool k34 = level < server::CompatLevel::k35;
  add_operation(out, "range", "Total number of ranges seen by this member.", c.ranges,
                level <= server::CompatLevel::k35);
  add_operation(out, "put", "Total number of puts seen by this member.", c.puts, k34);
  add_operation(out, "delete", "Total number of deletes seen by this member.", c.deletes, k34);
  add_operation(out, "txn", "Total number of txns seen by this member.", c.txns, k34);
  out.gauge("etcd_debugging_mvcc_total_put_size_in_bytes",
            "The total size of put kv pairs seen by this member.", num(c.put_bytes));
}

void add_leases(MetricsText& out, const lease::LeaseCounters& l, std::uint64_t expired) {
  out.counter("etcd_debugging_lease_granted_total", "The total number of granted leases.",
              num(l.granted));
  out.counter("etcd_debugging_lease_revoked_total", "The total number of revoked leases.",
              num(l.revoked));
  out.counter("etcd_debugging_lease_renewed_total",
              "The number of renewed leases seen by the leader.", num(l.renewed));
  out.histogram("etcd_debugging_lease_ttl_total", "Bucketed histogram of lease TTLs.", l.ttls);
  out.counter("etcd_debugging_server_lease_expired_total", "The total number of expired leases.",
              num(expired));
}

void add_alarms(MetricsText& out, const Context& context) {
  if (context.level() < server::CompatLevel::k36) return;
  for (const auto& alarm : context.server.alarms()) {
    out.gauge("etcd_debugging_server_alarms",
              "Alarms for every member in cluster. 1 for 'server_id' label with current ID. 2 for "
              "'alarm_type' label with type of this alarm",
              1,
              {{"alarm_type", alarm.alarm == server::AlarmType::kNoSpace ? "NOSPACE" : "CORRUPT"},
               {"server_id", server::id_text(alarm.member)}});
  }
}

void add_process(MetricsText& out) {
  const ProcessStats p = read_process_stats();
  out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
              p.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory size in bytes.",
            num(p.resident_bytes));
  out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", num(p.virtual_bytes));
  out.gauge("process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.", num(p.max_virtual_bytes));
  out.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
            p.start_seconds);
  out.gauge("process_open_fds", "Number of open file descriptors.", num(p.open_fds));
  out.gauge("process_max_fds", "Maximum number of open file descriptors.", num(p.max_fds));
  out.gauge("os_fd_used", "The number of used file descriptors.", num(p.open_fds));
  out.gauge("os_fd_limit", "The file descriptor limit.", num(p.max_fds));
}

void add_requests(MetricsText& out, const Dispatcher& dispatcher) {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  for (const auto& [path, method] : dispatcher.methods().all()) {
    add_method(out, *method);
    received += method->counters.received_bytes.load();
    sent += method->counters.sent_bytes.load();
  }
  out.counter("etcd_network_client_grpc_received_bytes_total",
              "The total number of bytes received from grpc clients.", num(received));
  out.counter("etcd_network_client_grpc_sent_bytes_total",
              "The total number of bytes sent to grpc clients.", num(sent));
  for (const auto& [key, count] : dispatcher.client_requests()) {
    out.counter("etcd_server_client_requests_total",
                "The total number of client requests per client version.", num(count),
                {{"client_api_version", key.second}, {"type", key.first}});
  }
}

void add_http(MetricsText& out, const HealthCounters& health) {
  out.counter("etcd_server_health_success", "The total number of successful health checks",
              num(health.successes.load()));
  out.counter("etcd_server_health_failures", "The total number of failed health checks",
              num(health.failures.load()));
  out.gauge("promhttp_metric_handler_requests_in_flight", "Current number of scrapes being served.",
            1);
  for (const char* code : {"200", "500", "503"}) {
    out.counter("promhttp_metric_handler_requests_total",
                "Total number of scrapes by HTTP status code.",
                code == std::string_view("200") ? num(health.scrapes.load()) : 0, {{"code", code}});
  }
}

}  // namespace

std::string metrics_scrape(const Context& context, const Dispatcher& dispatcher,
                           const HealthCounters& health) {
  MetricsText out;
  const server::Status status = context.server.status();
  const server::Counters counters = context.server.counters();
  const mvcc::Store& store = context.server.store();
  add_requests(out, dispatcher);
  add_http(out, health);
  add_consensus(out, status, counters);
  add_identity(out, context, status);
  add_disk(out, counters);
  add_database(out, context, status, counters);
  add_store(out, store, context.level());
  add_watches(out, store);
  add_operations(out, store, context.level());
  add_leases(out, context.server.lessor().counters(), counters.leases_expired);
  add_alarms(out, context);
  add_process(out);
  if (context.options.peer_metrics) {
    add_peers(out, context.server.member_id(), context.options.peer_metrics(), context.level());
  }
  return out.text();
}

}  // namespace truss::api
