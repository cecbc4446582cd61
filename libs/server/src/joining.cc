#include "joining.h"

#include <algorithm>
#include <set>

#include "version_poll.h"

namespace truss::server {
namespace {

constexpr Duration kFetchTimeout = std::chrono::seconds(10);
constexpr Duration kBootstrapTimeout = std::chrono::seconds(1);
constexpr Version kOldestCluster{3, 0, 0};
constexpr Version kOldestLevel{3, 4, 0};
constexpr Version kNewestLevel{3, 7, 0};

Unexpected invalid(std::string text) { return fail(Code::kInvalidArgument, std::move(text)); }

/// Peer URLs of all members but that one, sorted.
std::vector<std::string> urls_of_others(const InitialCluster& cluster, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& [other, urls] : cluster) {
    if (other != name) out.insert(out.end(), urls.begin(), urls.end());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<> check_config(const Config& config) {
  if (!config.initial_cluster.contains(config.name)) {
    return invalid("couldn't find local name \"" + config.name +
                   "\" in the initial cluster configuration");
  }
  std::set<std::string> seen;
  for (const auto& [name, urls] : config.initial_cluster) {
    for (const std::string& url : urls) {
      if (seen.insert(url).second) continue;
      return invalid("initial cluster " + text_of(config.initial_cluster) + " has duplicate url");
    }
  }
  return {};
}

std::string list_text(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? " " : "") + item;
  return out + "]";
}

/// As Go prints a RaftCluster.
std::string text_of(const PeerMembers& cluster) {
  std::string out = "{ClusterID:" + id_text(cluster.cluster) + " Members:[";
  for (const Member& m : cluster.members) {
    if (out.back() != '[') out += ' ';
    out += "&{ID:" + id_text(m.id) + " RaftAttributes:{PeerURLs:" + list_text(m.peer_urls) +
           " IsLearner:" + (m.is_learner ? "true" : "false") + "} Attributes:{Name:" + m.name +
           " ClientURLs:" + list_text(m.client_urls) + "}}";
  }
  return out + "] RemovedMemberIDs:[]}";
}

/// Finds a member of the cluster for every configured one, by peer URLs, and this one among them.
Result<raft::NodeId> match_members(const Config& config, const PeerMembers& cluster,
                                   ClusterInquiry& inquiry) {
  const auto mismatch = [&](const std::string& why) {
    return invalid("error validating peerURLs " + text_of(cluster) + ": " + why);
  };
  if (cluster.members.size() != config.initial_cluster.size()) {
    return mismatch("member count is unequal");
  }
  raft::NodeId self = raft::kNoNode;
  for (const Member& member : cluster.members) {
    const auto partner = std::find_if(
        config.initial_cluster.begin(), config.initial_cluster.end(),
        [&](const auto& local) { return inquiry.same_urls(member.peer_urls, local.second); });
    if (partner == config.initial_cluster.end()) {
      return mismatch("PeerURLs: no match found for existing member (" + id_text(member.id) + ", " +
                      list_text(member.peer_urls) + ")");
    }
    if (partner->first == config.name) self = member.id;
  }
  if (self == raft::kNoNode) {
    return mismatch("no match found for this member (" +
                    list_text(config.initial_cluster.at(config.name)) + ")");
  }
  return self;
}

CompatLevel level_of(const Version& version) {
  const std::uint32_t minor = std::clamp(version.minor, kOldestLevel.minor, kNewestLevel.minor);
  return static_cast<CompatLevel>(minor - kOldestLevel.minor);
}

std::optional<CompatLevel> level_of(const PolledVersions& answers) {
  std::optional<Version> cluster;
  std::optional<Version> server;
  for (const auto& answer : answers) {
    if (!answer) continue;
    const auto agreed = parse_version(answer->cluster);
    if (agreed && (!cluster || *agreed > *cluster)) cluster = agreed;
    const auto own = parse_version(answer->server);
    if (own && (!server || *own < *server)) server = own;
  }
  if (cluster && *cluster >= kOldestLevel) return level_of(*cluster);
  if (server) return level_of(*server);
  return std::nullopt;
}

/// At least one member names a cluster version, and none a version outside of the window.
/// Source: etcdserver.isCompatibleWithVers.
bool compatible(const PolledVersions& answers, const Version& highest) {
  bool some = false;
  for (const auto& answer : answers) {
    const auto version = answer ? parse_version(answer->cluster) : std::nullopt;
    if (!version) continue;
    if (*version < kOldestCluster || version->minor_only() > highest) return false;
    some = true;
  }
  return some;
}

std::vector<Member> without(std::vector<Member> members, raft::NodeId id) {
  std::erase_if(members, [id](const Member& m) { return m.id == id; });
  return members;
}

Result<CompatLevel> choose_level(const Config& config, const std::vector<Member>& others,
                                 ClusterInquiry& inquiry) {
  const auto answers = inquiry.versions(others, config.request_timeout());
  const Version highest = config.compat ? version_of(*config.compat).minor_only() : kNewestLevel;
  if (!compatible(answers, highest)) {
    return fail(Code::kFailedPrecondition, "incompatible with current running cluster");
  }
  if (inquiry.downgrade_enabled(others, config.request_timeout())) {
    return fail(Code::kFailedPrecondition,
                "the cluster is being downgraded, and this member can't join meanwhile; wait for "
                "the end of it, or cancel it");
  }
  return config.compat.value_or(level_of(answers).value_or(kDefaultLevel));
}

}  // namespace

std::string text_of(const InitialCluster& cluster) {
  std::string out;
  for (const auto& [name, urls] : cluster) {
    for (const std::string& url : urls) out += (out.empty() ? "" : ",") + name + "=" + url;
  }
  return out;
}

Result<Joining> join_cluster(const Config& config, ClusterInquiry& inquiry) {
  TRUSS_TRY(check_config(config));
  auto fetched =
      inquiry.members(urls_of_others(config.initial_cluster, config.name), kFetchTimeout, false);
  if (!fetched) return fail("cannot fetch cluster info from peer urls", fetched.error());
  TRUSS_ASSIGN(const raft::NodeId self, match_members(config, *fetched, inquiry));
  TRUSS_ASSIGN(const CompatLevel level,
               choose_level(config, without(fetched->members, self), inquiry));
  return Joining{self, fetched->cluster, level, std::move(fetched->members)};
}

std::optional<CompatLevel> ask_level(const Config& config, ClusterInquiry& inquiry) {
  std::vector<Member> others;
  for (const auto& [name, urls] : config.initial_cluster) {
    if (name != config.name) others.push_back({.id = raft::kNoNode, .peer_urls = urls});
  }
  return level_of(inquiry.versions(others, kBootstrapTimeout));
}

Result<> check_not_bootstrapped(const Config& config, const std::vector<Member>& founders,
                                ClusterInquiry& inquiry) {
  const auto urls = urls_of_others(config.initial_cluster, config.name);
  if (urls.empty()) return {};
  const auto fetched = inquiry.members(urls, kBootstrapTimeout, true);
  if (!fetched) return {};
  for (const Member& founder : founders) {
    if (founder.name != config.name) continue;
    const bool bootstrapped =
        std::any_of(fetched->members.begin(), fetched->members.end(),
                    [&](const Member& m) { return m.id == founder.id && !m.client_urls.empty(); });
    if (!bootstrapped) continue;
    return fail(Code::kFailedPrecondition,
                "member " + id_text(founder.id) + " has already been bootstrapped");
  }
  return {};
}

}  // namespace truss::server
