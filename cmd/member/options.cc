#include "options.h"

#include <arpa/inet.h>

#include <algorithm>

#include "feature_gates.h"
#include "go_args.h"
#include "truss/api/urls.h"

namespace truss::member {
namespace {

Unexpected bad(std::string text) { return fail(Code::kInvalidArgument, std::move(text)); }

constexpr std::uint64_t kMaxElectionMs = 50'000;
constexpr std::uint64_t kMinProgressMs = 100;

// A default that etcd would fill in may be given without being refused.
bool is_default(const Flag& flag, const std::string& text) {
  if (flag.type == FlagType::kBool) {
    return parse_go_bool(text).value_or(true) == parse_go_bool(flag.default_value).value_or(true);
  }
  if (flag.type == FlagType::kDuration) {
    return parse_go_duration(text).value_or(-1) ==
           parse_go_duration(flag.default_value).value_or(-1);
  }
  return text == flag.default_value;
}

Result<> check_supported(Settings& settings) {
  for (const auto& [name, text] : settings.all()) {
    const Flag& flag = *find_flag(name);
    if (flag.use == FlagUse::kHonoured || is_default(flag, text)) continue;
    if (flag.use == FlagUse::kRefused) {
      return bad("--" + name + "=" + text +
                 " is not supported yet, and ignoring it would not be safe; remove it to start");
    }
    settings.warnings.push_back({"flag has no effect yet", "flag", "--" + name + "=" + text});
  }
  return {};
}

Result<std::vector<std::string>> urls(const Settings& settings, std::string_view name) {
  const auto given = settings.list(name);
  if (given.empty()) return std::vector<std::string>{};
  auto normal = api::normalize_urls(given);
  if (!normal) {
    return bad("invalid value " + truss::quoted(settings.text(name)) + " for flag -" +
               std::string(name) + ": " + normal.error().message);
  }
  return normal;
}

bool is_ip(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

Result<std::vector<std::string>> listen_urls(const Settings& settings, std::string_view name) {
  TRUSS_ASSIGN(auto out, urls(settings, name));
  for (const std::string& url : out) TRUSS_TRY(listen_address(url));
  return out;
}

Result<> set_times(const Settings& s, server::Config& config) {
  const std::uint64_t heartbeat = s.number("heartbeat-interval");
  const std::uint64_t election = s.number("election-timeout");
  const auto ms = [](std::uint64_t v) { return std::to_string(v) + "ms"; };
  if (heartbeat == 0) return bad("--heartbeat-interval must be >0 (set to 0ms)");
  if (election == 0) return bad("--election-timeout must be >0 (set to 0ms)");
  if (election > kMaxElectionMs) {
    return bad("--election-timeout[" + ms(election) +
               "] is too long, and should be set less than " + ms(kMaxElectionMs));
  }
  if (5 * heartbeat > election) {
    return bad("--election-timeout[" + ms(election) +
               "] should be at least as 5 times as --heartbeat-interval[" + ms(heartbeat) + "]");
  }
  config.heartbeat_interval = std::chrono::milliseconds(heartbeat);
  config.election_timeout = std::chrono::milliseconds(election);
  return {};
}

Result<> set_auto_compaction(const Settings& s, server::Config& config) {
  const std::string mode = s.text("auto-compaction-mode");
  const std::string retention = s.text("auto-compaction-retention");
  if (mode != "periodic" && mode != "revision" && !(mode.empty() && retention == "0"))
    return bad("unknown auto-compaction-mode " + truss::quoted(mode));
  auto count = parse_go_int(retention);
  if (!count && mode == "periodic") {
    count = parse_go_duration(retention);
  } else if (count && mode == "periodic") {
    *count *= 3600LL * 1'000'000'000;  // a bare number is hours
  }
  if (!count || *count < 0) {
    return bad("error parsing CompactionRetention: --auto-compaction-retention=" + retention);
  }
  if (*count == 0) return {};
  config.auto_compaction =
      mode == "periodic" ? server::AutoCompaction::kPeriodic : server::AutoCompaction::kRevision;
  config.auto_compaction_retention = *count;
  return {};
}

Result<> set_cluster(const Settings& s, server::Config& config) {
  TRUSS_ASSIGN(config.advertise_peer_urls, urls(s, "initial-advertise-peer-urls"));
  TRUSS_ASSIGN(config.advertise_client_urls, urls(s, "advertise-client-urls"));
  if (s.given("listen-client-urls") && !s.given("advertise-client-urls")) {
    return bad("--advertise-client-urls is required when --listen-client-urls is set explicitly");
  }
  std::string initial = s.text("initial-cluster");
  if (!s.given("initial-cluster") && s.given("name")) {
    initial.clear();
    for (const auto& url : config.advertise_peer_urls) {
      initial += (initial.empty() ? "" : ",") + config.name + "=" + url;
    }
  }
  const auto parsed = server::parse_initial_cluster(initial);
  if (!parsed)
    return bad("error setting up initial cluster: malformed --initial-cluster=" + initial);
  config.initial_cluster = *parsed;
  for (const auto& [name, member_urls] : config.initial_cluster) {
    if (auto normal = api::normalize_urls(member_urls); !normal) {
      return bad("error setting up initial cluster: " + normal.error().message);
    }
  }
  config.initial_cluster_token = s.text("initial-cluster-token");
  config.new_cluster = s.text("initial-cluster-state") == "new";
  config.force_new_cluster = s.flag("force-new-cluster");
  return {};
}

Result<> set_level(const Settings& s, server::Config& config) {
  const std::string text = s.text("compat");
  if (text.empty()) return {};
  config.compat = server::parse_compat_level(text);
  if (!config.compat) return bad("--compat=" + text + ": must be 3.4, 3.5, 3.6 or 3.7");
  return {};
}

Result<> set_server(const Settings& s, server::Config& config) {
  config.name = s.text("name");
  config.data_dir = s.text("data-dir").empty() ? config.name + ".etcd" : s.text("data-dir");
  config.wal_dir = s.text("wal-dir");
  TRUSS_TRY(set_level(s, config));
  TRUSS_TRY(set_times(s, config));
  TRUSS_TRY(set_cluster(s, config));
  TRUSS_TRY(set_auto_compaction(s, config));
  config.initial_election_tick_advance = s.flag("initial-election-tick-advance");
  if (s.given("pre-vote")) config.pre_vote = s.flag("pre-vote");
  if (s.given("snapshot-count")) config.snapshot_count = s.number("snapshot-count");
  config.snapshot_catch_up_entries =
      s.number("snapshot-catchup-entries", "experimental-snapshot-catchup-entries");
  config.max_snap_files = static_cast<std::uint32_t>(s.number("max-snapshots"));
  config.max_wal_files = static_cast<std::uint32_t>(s.number("max-wals"));
  config.quota_backend_bytes = s.integer("quota-backend-bytes");
  config.max_request_bytes = static_cast<std::uint32_t>(s.number("max-request-bytes"));
  config.max_txn_ops = static_cast<std::uint32_t>(s.number("max-txn-ops"));
  config.backend_batch_interval = Duration(s.duration("backend-batch-interval"));
  config.backend_batch_limit = static_cast<std::uint32_t>(s.integer("backend-batch-limit"));
  const std::string freelist =
      s.text("backend-bbolt-freelist-type", "experimental-backend-bbolt-freelist-type");
  config.backend_freelist_map = freelist != "array";
  config.backend_map_populate = s.flag("map-populate");
  config.unsafe_no_fsync = s.flag("unsafe-no-fsync");
  config.compaction_batch_limit = static_cast<std::uint32_t>(
      s.integer("compaction-batch-limit", "experimental-compaction-batch-limit"));
  config.compaction_sleep_interval =
      Duration(s.duration("compaction-sleep-interval", "experimental-compaction-sleep-interval"));
  config.strict_reconfig_check = s.flag("strict-reconfig-check");
  config.max_learners = static_cast<std::uint32_t>(s.integer("max-learners"));
  TRUSS_ASSIGN(const FeatureGates gates, parse_feature_gates(s.text("feature-gates")));
  TRUSS_TRY(gates.check_supported());
  config.lease_checkpoint =
      gates.lease_checkpoint || s.flag("experimental-enable-lease-checkpoint");
  config.lease_checkpoint_persist =
      gates.lease_checkpoint_persist || s.flag("experimental-enable-lease-checkpoint-persist");
  config.initial_corrupt_check =
      gates.initial_corrupt_check || s.flag("experimental-initial-corrupt-check");
  config.corrupt_check_time =
      Duration(s.duration("corrupt-check-time", "experimental-corrupt-check-time"));
  if (config.lease_checkpoint_persist && !config.lease_checkpoint) {
    return bad(
        "setting experimental-enable-lease-checkpoint-persist requires "
        "experimental-enable-lease-checkpoint");
  }
  return {};
}

Result<> set_api(const Settings& s, Options& out) {
  out.api.grpc_gateway = s.flag("enable-grpc-gateway");
  out.api.cors = s.list("cors");
  out.api.host_whitelist = s.list("host-whitelist");
  const std::int64_t progress =
      s.duration("watch-progress-notify-interval", "experimental-watch-progress-notify-interval");
  out.api.watch_progress_interval =
      std::max<Duration>(Duration(progress), std::chrono::milliseconds(kMinProgressMs));
  out.net.max_receive_message_bytes = out.server.max_request_bytes + (512u << 10);
  out.net.max_concurrent_streams = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(s.number("max-concurrent-streams"), UINT32_MAX));
  out.net.keepalive_min_time = Duration(s.duration("grpc-keepalive-min-time"));
  out.net.keepalive_interval = Duration(s.duration("grpc-keepalive-interval"));
  out.net.keepalive_timeout = Duration(s.duration("grpc-keepalive-timeout"));
  return {};
}

Result<> set_log(const Settings& s, Options& out) {
  const std::string kind = s.text("logger");
  if (kind != "zap" && kind != "capnslog")
    return bad("unknown logger option " + truss::quoted(kind));
  const std::string level = s.flag("debug") ? "debug" : s.text("log-level");
  if (!parse_log_level(level, out.log_level)) return bad("unknown log level --log-level=" + level);
  out.log_outputs = s.list("log-outputs");
  return {};
}

Result<Options> build(Settings& s) {
  TRUSS_TRY(check_supported(s));
  Options out;
  TRUSS_TRY(set_server(s, out.server));
  TRUSS_ASSIGN(out.listen_peer_urls, listen_urls(s, "listen-peer-urls"));
  out.snapshot_send_rate = s.number("snapshot-send-rate");
  TRUSS_ASSIGN(out.listen_client_urls, listen_urls(s, "listen-client-urls"));
  TRUSS_ASSIGN(out.listen_client_http_urls, listen_urls(s, "listen-client-http-urls"));
  TRUSS_ASSIGN(out.listen_metrics_urls, listen_urls(s, "listen-metrics-urls"));
  TRUSS_TRY(set_api(s, out));
  TRUSS_TRY(set_log(s, out));
  out.warnings = std::move(s.warnings);
  return out;
}

}  // namespace

Result<std::string> listen_address(const std::string& url) {
  TRUSS_ASSIGN(const api::Url parsed, api::parse_url(url));
  if (parsed.scheme == "https" || parsed.scheme == "unixs") {
    return bad(url + ": TLS is not supported yet; use http");
  }
  if (parsed.scheme == "unix") return "unix:" + parsed.host;
  const std::string host = parsed.host.substr(0, parsed.host.rfind(':'));
  if (host != "localhost" && !is_ip(host)) {
    return bad("expected IP in URL for binding (" + url + ")");
  }
  return parsed.host;
}

std::variant<Options, Exit> make_options(Settings settings) {
  auto options = build(settings);
  if (!options) return Exit{1, "", "member: " + options.error().message + "\n"};
  return *std::move(options);
}

}  // namespace truss::member
