#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "truss/server/member.h"
#include "truss/snaptool/restore.h"

// What the flags of a restore mean.
namespace truss::snaptool {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

bool valid_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port <= 65535;
}

/// Source: types.NewURLs.
Result<> check_url(const std::string& url) {
  const auto bad = [&](const char* why) {
    return fail(Code::kInvalidArgument, "peer URL " + quoted(url) + why);
  };
  const std::size_t colon = url.find("://");
  const std::string_view scheme = std::string_view(url).substr(0, colon);
  if (colon == std::string::npos ||
      (scheme != "http" && scheme != "https" && scheme != "unix" && scheme != "unixs")) {
    return bad(" must use http, https, unix or unixs");
  }
  const std::string_view rest = std::string_view(url).substr(colon + 3);
  if (scheme.starts_with("unix")) return rest.empty() ? bad(" has no address") : Result<>();
  if (rest.find_first_of("/?#") != std::string_view::npos) return bad(" must not contain a path");
  const std::size_t port = rest.rfind(':');
  if (port == std::string_view::npos || !valid_port(rest.substr(port + 1))) {
    return bad(" must be of the form http://host:port");
  }
  return {};
}

using Cluster = std::map<std::string, std::vector<std::string>>;

Result<Cluster> parse_cluster(const std::string& text) {
  Cluster out;
  for (const std::string& part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(Code::kInvalidArgument,
                  "--initial-cluster: " + quoted(part) + " is not of the form NAME=URL");
    }
    const std::string url = part.substr(equals + 1);
    TRUSS_TRY(check_url(url));
    out[part.substr(0, equals)].push_back(url);
  }
  std::set<std::string> seen;
  for (auto& [name, urls] : out) {
    std::sort(urls.begin(), urls.end());
    for (const std::string& url : urls) {
      if (seen.insert(url).second) continue;
      return fail(Code::kInvalidArgument, "--initial-cluster has the URL " + url + " twice");
    }
  }
  return out;
}

Result<> check_advertised(const RestoreOptions& options, const std::vector<std::string>& own) {
  std::vector<std::string> advertised = split(options.advertise_peer_urls, ',');
  for (const std::string& url : advertised) TRUSS_TRY(check_url(url));
  std::sort(advertised.begin(), advertised.end());
  if (advertised == own) return {};
  std::string want;
  for (const std::string& url : own) want += (want.empty() ? "" : ",") + url;
  return fail(Code::kInvalidArgument,
              "--initial-advertise-peer-urls " + options.advertise_peer_urls +
                  " differs from what --initial-cluster has for " + options.name + ": " + want);
}

Result<> check_vacant(FileSystem& fs, const std::string& flag, const std::string& path) {
  const auto info = fs.stat(path);
  if (!info)
    return info.error().code == Code::kNotFound ? Result<>() : tl::unexpected(info.error());
  if (info->directory) {
    TRUSS_ASSIGN(const auto names, fs.list(path));
    if (names.empty()) return {};
  }
  return fail(Code::kAlreadyExists,
              flag + " " + path + " exists and is not empty: name another, or move it away");
}

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Result<> check_bump(const RestoreOptions& options) {
  if ((options.bump_revision > 0) != options.mark_compacted) {
    return fail(Code::kInvalidArgument,
                "--bump-revision and --mark-compacted need each other: a bumped revision is only "
                "safe for watchers if the gap counts as compacted");
  }
  if (options.bump_revision <= std::uint64_t{INT64_MAX} / 2) return {};
  return fail(Code::kInvalidArgument, "--bump-revision " + std::to_string(options.bump_revision) +
                                          " leaves no room for revisions above it");
}

}  // namespace

Result<RestorePlan> plan_restore(FileSystem& fs, const RestoreOptions& options) {
  TRUSS_TRY(check_bump(options));
  RestorePlan plan;
  plan.data_dir =
      without_trailing_slash(options.data_dir.empty() ? options.name + ".etcd" : options.data_dir);
  plan.wal_dir = without_trailing_slash(
      options.wal_dir.empty() ? join_path(plan.data_dir, "member/wal") : options.wal_dir);
  const std::string text = options.initial_cluster.empty() ? options.name + "=http://localhost:2380"
                                                           : options.initial_cluster;
  TRUSS_ASSIGN(const Cluster cluster, parse_cluster(text));
  const auto self = cluster.find(options.name);
  if (self == cluster.end()) {
    return fail(Code::kInvalidArgument, "couldn't find local name " + quoted(options.name) +
                                            " in --initial-cluster " + text);
  }
  TRUSS_TRY(check_advertised(options, self->second));
  std::vector<raft::NodeId> ids;
  for (const auto& [name, urls] : cluster) {
    const raft::NodeId id = server::compute_member_id(urls, options.initial_cluster_token);
    plan.members.push_back({id, name, urls});
    ids.push_back(id);
    if (name == options.name) plan.self = id;
  }
  std::sort(plan.members.begin(), plan.members.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  plan.cluster_id = server::compute_cluster_id(std::move(ids)).value();
  TRUSS_TRY(check_vacant(fs, "--data-dir", plan.data_dir));
  if (!options.wal_dir.empty()) TRUSS_TRY(check_vacant(fs, "--wal-dir", plan.wal_dir));
  return plan;
}

}  // namespace truss::snaptool
