#include "flag_table.h"

#include <algorithm>
#include <array>

namespace truss::member {
namespace {

using enum FlagType;
using enum FlagUse;
constexpr auto k34 = server::CompatLevel::k34;
constexpr auto k35 = server::CompatLevel::k35;
constexpr auto k36 = server::CompatLevel::k36;
constexpr auto k37 = server::CompatLevel::k37;

constexpr Flag kFlags[] = {
    // Member
    {"name", kString, "default", kHonoured, "Name of this member."},
    {"data-dir", kString, "", kHonoured, "Data directory; default ${name}.etcd."},
    {"wal-dir", kString, "", kHonoured, "Directory of the WAL, if not inside the data directory."},
    {"compat", kString, "", kHonoured,
     "etcd release to present: 3.4, 3.5, 3.6 or 3.7. Default: the directory's; 3.6 for a new one."},
    {"snapshot-count", kUint, "", kHonoured, "Applied entries between two snapshots on disk."},
    {"snapshot-catchup-entries", kUint, "5000", kHonoured,
     "Entries kept in memory for slow followers.", k36},
    {"experimental-snapshot-catchup-entries", kUint, "5000", kHonoured,
     "As --snapshot-catchup-entries.", k35, k36},
    {"snapshot-send-rate", kUint, "0", kHonoured,
     "Most bytes a second of a database sent to one peer; 0: no limit."},
    {"heartbeat-interval", kUint, "100", kHonoured, "Milliseconds between heartbeats."},
    {"election-timeout", kUint, "1000", kHonoured,
     "Milliseconds without a leader until an election."},
    {"initial-election-tick-advance", kBool, "true", kHonoured,
     "Shorten the first election timeout after a start."},
    {"listen-peer-urls", kUrls, "http://localhost:2380", kHonoured, "Where to listen to peers."},
    {"listen-client-urls", kUrls, "http://localhost:2379", kHonoured,
     "Where to listen to clients."},
    {"listen-client-http-urls", kUrls, "", kHonoured,
     "Where to serve HTTP alone; --listen-client-urls then serves gRPC alone."},
    {"max-snapshots", kUint, "5", kHonoured, "Snapshot files to keep; 0 keeps all."},
    {"max-wals", kUint, "5", kHonoured, "WAL files to keep; 0 keeps all."},
    {"memory-mlock", kBool, "false", kRefused, "Lock the process's pages in memory.", k36},
    {"experimental-memory-mlock", kBool, "false", kRefused, "As --memory-mlock.", k35, k36},
    {"quota-backend-bytes", kInt, "0", kHonoured,
     "Alarm when the database file exceeds this; 0: 2 GiB; negative: never."},
    {"backend-bbolt-freelist-type", kString, "map", kHonoured, "map or array.", k35},
    {"experimental-backend-bbolt-freelist-type", kString, "array", kHonoured,
     "As --backend-bbolt-freelist-type.", k34, k36},
    {"backend-batch-interval", kDuration, "0s", kHonoured,
     "Longest time between commits; 0: 100ms."},
    {"backend-batch-limit", kInt, "0", kHonoured, "Most operations of one commit; 0: 10000."},
    {"map-populate", kBool, "true", kHonoured, "Read the database file ahead when mapping it."},
    {"max-txn-ops", kUint, "128", kHonoured, "Most operations of a transaction."},
    {"max-request-bytes", kUint, "1572864", kHonoured, "Largest client request, bytes."},
    {"max-concurrent-streams", kUint, "4294967295", kHonoured,
     "Most HTTP/2 streams of one client connection."},
    {"grpc-keepalive-min-time", kDuration, "5s", kHonoured, "Shortest interval of client pings."},
    {"grpc-keepalive-interval", kDuration, "2h0m0s", kHonoured, "Ping idle clients this often."},
    {"grpc-keepalive-timeout", kDuration, "20s", kHonoured, "Close when no ping is answered."},
    {"socket-reuse-port", kBool, "false", kWarned, "Set SO_REUSEPORT.", k35},
    {"socket-reuse-address", kBool, "false", kWarned, "Set SO_REUSEADDR.", k35},
    {"enable-grpc-gateway", kBool, "true", kHonoured, "Serve the JSON gateway."},
    {"raft-read-timeout", kDuration, "5s", kWarned, "Read timeout of peer connections.", k35},
    {"raft-write-timeout", kDuration, "5s", kWarned, "Write timeout of peer connections.", k35},
    {"feature-gates", kString, "", kHonoured, "A=true,B=false.", k36},

    // Clustering
    {"initial-advertise-peer-urls", kUrls, "http://localhost:2380", kHonoured,
     "Peer URLs to tell the cluster."},
    {"initial-cluster", kString, "default=http://localhost:2380", kHonoured,
     "Members of the new cluster: name=url,..."},
    {"initial-cluster-state", kNewOrExisting, "new", kHonoured, "new or existing."},
    {"initial-cluster-token", kString, "etcd-cluster", kHonoured, "Goes into the cluster id."},
    {"advertise-client-urls", kUrls, "http://localhost:2379", kHonoured,
     "Client URLs to tell the cluster."},
    {"discovery", kString, "", kRefused, "URL of the v2 discovery service.", k34, k36},
    {"discovery-proxy", kString, "", kRefused, "HTTP proxy to the discovery service.", k34, k36},
    {"discovery-token", kString, "", kRefused, "Token of v3 discovery.", k36},
    {"discovery-endpoints", kString, "", kRefused, "Endpoints of v3 discovery.", k36},
    {"discovery-dial-timeout", kDuration, "2s", kWarned, "v3 discovery.", k36},
    {"discovery-request-timeout", kDuration, "5s", kWarned, "v3 discovery.", k36},
    {"discovery-keepalive-time", kDuration, "2s", kWarned, "v3 discovery.", k36},
    {"discovery-keepalive-timeout", kDuration, "6s", kWarned, "v3 discovery.", k36},
    {"discovery-insecure-transport", kBool, "true", kWarned, "v3 discovery.", k36},
    {"discovery-insecure-skip-tls-verify", kBool, "false", kWarned, "v3 discovery.", k36},
    {"discovery-cert", kString, "", kRefused, "v3 discovery.", k36},
    {"discovery-key", kString, "", kRefused, "v3 discovery.", k36},
    {"discovery-cacert", kString, "", kRefused, "v3 discovery.", k36},
    {"discovery-user", kString, "", kRefused, "v3 discovery.", k36},
    {"discovery-password", kString, "", kRefused, "v3 discovery.", k36},
    {"discovery-fallback", kExitOrProxy, "", kWarned,
     "What to do when the discovered cluster is full."},
    {"discovery-srv", kString, "", kRefused, "DNS domain to bootstrap from."},
    {"discovery-srv-name", kString, "", kRefused, "Suffix of the DNS SRV name."},
    {"strict-reconfig-check", kBool, "true", kHonoured,
     "Refuse membership changes that would lose quorum."},
    {"pre-vote", kBool, "", kHonoured, "Ask before standing for election; default on from 3.5."},
    {"auto-compaction-retention", kString, "0", kHonoured, "History to keep; 0: compact never."},
    {"auto-compaction-mode", kString, "periodic", kHonoured, "periodic or revision."},
    {"v2-deprecation", kString, "", kWarned, "Phase of the v2 store's end.", k35},
    {"enable-v2", kBool, "false", kRefused, "Serve the v2 API.", k34, k35},
    {"experimental-enable-v2v3", kString, "", kRefused, "Serve the v2 API from v3 keys.", k34, k35},
    {"max-learners", kInt, "1", kHonoured, "Most learners of the cluster.", k36},

    // Security
    {"cert-file", kString, "", kRefused, "Certificate for clients."},
    {"key-file", kString, "", kRefused, "Its key."},
    {"client-cert-file", kString, "", kRefused, "Certificate of outgoing client calls.", k35},
    {"client-key-file", kString, "", kRefused, "Its key.", k35},
    {"client-cert-auth", kBool, "false", kRefused, "Demand client certificates."},
    {"client-crl-file", kString, "", kRefused, "Revoked client certificates."},
    {"client-cert-allowed-hostname", kList, "", kRefused, "Names allowed in them."},
    {"trusted-ca-file", kString, "", kRefused, "Authority of client certificates."},
    {"auto-tls", kBool, "false", kRefused, "Make a self-signed certificate for clients."},
    {"peer-cert-file", kString, "", kRefused, "Certificate for peers."},
    {"peer-key-file", kString, "", kRefused, "Its key."},
    {"peer-client-cert-file", kString, "", kRefused, "Certificate of outgoing peer calls.", k35},
    {"peer-client-key-file", kString, "", kRefused, "Its key.", k35},
    {"peer-client-cert-auth", kBool, "false", kRefused, "Demand peer certificates."},
    {"peer-crl-file", kString, "", kRefused, "Revoked peer certificates."},
    {"peer-trusted-ca-file", kString, "", kRefused, "Authority of peer certificates."},
    {"peer-auto-tls", kBool, "false", kRefused, "Make a self-signed certificate for peers."},
    {"peer-cert-allowed-cn", kList, "", kRefused, "Common names allowed to peers."},
    {"peer-cert-allowed-hostname", kList, "", kRefused, "Names allowed to peers."},
    {"peer-skip-client-san-verification", kBool, "false", kRefused, "Don't check peers' names.",
     k36},
    {"experimental-peer-skip-client-san-verification", kBool, "false", kRefused,
     "As --peer-skip-client-san-verification.", k34, k36},
    {"self-signed-cert-validity", kUint, "1", kWarned, "Years.", k35},
    {"cipher-suites", kList, "", kRefused, "TLS cipher suites."},
    {"tls-min-version", kString, "TLS1.2", kRefused, "Least TLS version.", k35},
    {"tls-max-version", kString, "", kRefused, "Greatest TLS version.", k35},
    {"cors", kUrlsOrStar, "*", kHonoured, "Origins allowed."},
    {"host-whitelist", kList, "*", kHonoured, "Hosts that plain HTTP requests may name."},
    {"auth-token", kString, "simple", kRefused, "Kind of authentication token."},
    {"bcrypt-cost", kUint, "10", kWarned, "Cost of password hashes."},
    {"auth-token-ttl", kUint, "300", kWarned, "Seconds a token lives."},

    // Logging and observation
    {"logger", kString, "zap", kWarned, "zap."},
    {"log-outputs", kList, "default", kHonoured, "default, stderr, stdout or file paths."},
    {"log-level", kLogLevel, "info", kHonoured, "debug, info, warn, error, panic or fatal."},
    {"log-format", kString, "json", kWarned, "json.", k36},
    {"enable-log-rotation", kBool, "false", kWarned, "Rotate log files.", k35},
    {"log-rotation-config-json", kString, "", kWarned, "How to rotate them.", k35},
    {"log-output", kString, "default", kWarned, "As --log-outputs.", k34, k34},
    {"log-package-levels", kString, "", kWarned, "Levels by package.", k34, k34},
    {"debug", kBool, "false", kHonoured, "As --log-level debug.", k34, k34},
    {"enable-pprof", kBool, "false", kWarned, "Serve profiles."},
    {"metrics", kString, "basic", kWarned, "basic or extensive."},
    {"listen-metrics-urls", kUrls, "", kHonoured, "Where to serve /metrics and /health alone."},
    {"warning-unary-request-duration", kDuration, "300ms", kWarned, "Log slower calls.", k36},
    {"experimental-warning-unary-request-duration", kDuration, "0s", kWarned, "As above.", k35,
     k36},
    {"warning-apply-duration", kDuration, "100ms", kWarned, "Log slower applies.", k36},
    {"experimental-warning-apply-duration", kDuration, "100ms", kWarned, "As above.", k34, k36},
    {"enable-distributed-tracing", kBool, "false", kWarned, "OpenTelemetry.", k36},
    {"distributed-tracing-address", kString, "localhost:4317", kWarned, "OpenTelemetry.", k36},
    {"distributed-tracing-service-name", kString, "etcd", kWarned, "OpenTelemetry.", k36},
    {"distributed-tracing-instance-id", kString, "", kWarned, "OpenTelemetry.", k36},
    {"distributed-tracing-sampling-rate", kInt, "0", kWarned, "OpenTelemetry.", k36},
    {"experimental-enable-distributed-tracing", kBool, "false", kWarned, "OpenTelemetry.", k35,
     k36},
    {"experimental-distributed-tracing-address", kString, "localhost:4317", kWarned,
     "OpenTelemetry.", k35, k36},
    {"experimental-distributed-tracing-service-name", kString, "etcd", kWarned, "OpenTelemetry.",
     k35, k36},
    {"experimental-distributed-tracing-instance-id", kString, "", kWarned, "OpenTelemetry.", k35,
     k36},
    {"experimental-distributed-tracing-sampling-rate", kInt, "0", kWarned, "OpenTelemetry.", k35,
     k36},

    // Upkeep
    {"corrupt-check-time", kDuration, "0s", kHonoured, "Compare members' data this often.", k36},
    {"experimental-corrupt-check-time", kDuration, "0s", kHonoured, "As --corrupt-check-time.", k34,
     k36},
    {"experimental-initial-corrupt-check", kBool, "false", kHonoured,
     "Compare members' data before serving.", k34, k36},
    {"compact-hash-check-time", kDuration, "1m0s", kWarned, "Compare compaction hashes.", k36},
    {"experimental-compact-hash-check-enabled", kBool, "false", kRefused,
     "Compare compaction hashes.", k35, k36},
    {"experimental-compact-hash-check-time", kDuration, "1m0s", kWarned, "How often.", k35, k36},
    {"compaction-batch-limit", kInt, "1000", kHonoured, "Revisions of one compaction slice.", k36},
    {"experimental-compaction-batch-limit", kInt, "1000", kHonoured, "As --compaction-batch-limit.",
     k34, k36},
    {"compaction-sleep-interval", kDuration, "10ms", kHonoured, "Pause between two slices.", k36},
    {"experimental-compaction-sleep-interval", kDuration, "10ms", kHonoured,
     "As --compaction-sleep-interval.", k35, k36},
    {"watch-progress-notify-interval", kDuration, "10m0s", kHonoured,
     "Progress reports of quiet watches.", k36},
    {"experimental-watch-progress-notify-interval", kDuration, "10m0s", kHonoured,
     "As --watch-progress-notify-interval.", k34, k36},
    {"experimental-enable-lease-checkpoint", kBool, "false", kHonoured,
     "Replicate the remaining time of long leases.", k34, k36},
    {"experimental-enable-lease-checkpoint-persist", kBool, "false", kHonoured,
     "Keep it over restarts.", k35, k36},
    {"experimental-txn-mode-write-with-shared-buffer", kBool, "true", kWarned,
     "How transactions read.", k35, k36},
    {"experimental-stop-grpc-service-on-defrag", kBool, "false", kWarned,
     "Report NOT_SERVING while defragmenting.", k35, k36},
    {"bootstrap-defrag-threshold-megabytes", kUint, "0", kWarned,
     "Defragment at start if it frees this much.", k36},
    {"experimental-bootstrap-defrag-threshold-megabytes", kUint, "0", kWarned, "As above.", k35,
     k36},
    {"downgrade-check-time", kDuration, "5s", kWarned, "Check for a downgrade this often.", k36},
    {"experimental-downgrade-check-time", kDuration, "5s", kWarned, "As above.", k35, k36},
    {"force-new-cluster", kBool, "false", kHonoured, "Drop the other members, keep the data."},
    {"unsafe-no-fsync", kBool, "false", kHonoured, "Don't sync: acknowledged writes may be lost."},

    // Proxy of the v2 API
    {"proxy", kOffReadonlyOn, "off", kRefused, "off, readonly or on.", k34, k35},
    {"proxy-failure-wait", kUint, "5000", kWarned, "v2 proxy.", k34, k35},
    {"proxy-refresh-interval", kUint, "30000", kWarned, "v2 proxy.", k34, k35},
    {"proxy-dial-timeout", kUint, "1000", kWarned, "v2 proxy.", k34, k35},
    {"proxy-write-timeout", kUint, "5000", kWarned, "v2 proxy.", k34, k35},
    {"proxy-read-timeout", kUint, "0", kWarned, "v2 proxy.", k34, k35},

    // Program
    {"config-file", kString, "", kHonoured,
     "YAML file; all other flags and variables are ignored."},
    {"version", kBool, "false", kHonoured, "Print the version and exit."},
};

constexpr std::array<std::string_view, 12> kLegacy = {"cluster-active-size",
                                                      "cluster-remove-delay",
                                                      "cluster-sync-interval",
                                                      "config",
                                                      "force",
                                                      "max-result-buffer",
                                                      "max-retry-attempts",
                                                      "peer-heartbeat-interval",
                                                      "peer-election-timeout",
                                                      "retry-interval",
                                                      "snapshot",
                                                      "v"};

struct GroupStart {
  std::string_view title;
  std::string_view first_flag;
};
constexpr GroupStart kGroups[] = {{"Member", "name"},
                                  {"Clustering", "initial-advertise-peer-urls"},
                                  {"Security", "cert-file"},
                                  {"Logging and observation", "logger"},
                                  {"Upkeep", "corrupt-check-time"},
                                  {"Proxy of the v2 API", "proxy"},
                                  {"Program", "config-file"}};

constexpr std::string_view kNewOrExistingChoices[] = {"existing", "new"};
constexpr std::string_view kExitOrProxyChoices[] = {"exit", "proxy"};
constexpr std::string_view kOffReadonlyOnChoices[] = {"off", "readonly", "on"};
constexpr std::string_view kLogLevelChoices[] = {"debug",  "info",  "warn", "error",
                                                 "dpanic", "panic", "fatal"};

}  // namespace

std::span<const Flag> all_flags() { return kFlags; }

std::vector<FlagGroup> flag_groups() {
  std::vector<FlagGroup> out;
  const Flag* end = std::end(kFlags);
  for (auto group = std::rbegin(kGroups); group != std::rend(kGroups); ++group) {
    const Flag* first = find_flag(group->first_flag);
    out.insert(out.begin(), {group->title, {first, end}});
    end = first;
  }
  return out;
}

std::span<const std::string_view> choices_of(FlagType type) {
  switch (type) {
    case FlagType::kNewOrExisting:
      return kNewOrExistingChoices;
    case FlagType::kExitOrProxy:
      return kExitOrProxyChoices;
    case FlagType::kOffReadonlyOn:
      return kOffReadonlyOnChoices;
    case FlagType::kLogLevel:
      return kLogLevelChoices;
    default:
      return {};
  }
}

std::string releases_of(const Flag& flag) {
  if (flag.first == k34 && flag.last == k37) return "";
  const std::string first(server::level_name(flag.first));
  if (flag.last == k37) return first + " and later";
  if (flag.last == flag.first) return first + " only";
  return first + " to " + std::string(server::level_name(flag.last));
}

const Flag* find_flag(std::string_view name) {
  const auto it = std::find_if(std::begin(kFlags), std::end(kFlags),
                               [&](const Flag& flag) { return flag.name == name; });
  return it == std::end(kFlags) ? nullptr : it;
}

bool is_legacy_flag(std::string_view name) {
  return name == "vv" || std::find(kLegacy.begin(), kLegacy.end(), name) != kLegacy.end();
}

}  // namespace truss::member
