#include "truss/peer/request_header.h"

#include "truss/common/check.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

constexpr std::string_view kAssumedVersion = "2.0.0";
constexpr SemVer kFirstWithStreams{2, 1, 0};

std::optional<SemVer> version_of(std::string_view header) {
  return parse_semver(header.empty() ? kAssumedVersion : header);
}

SemVer own_version(const Identity& who) {
  const auto version = parse_semver(who.server_version);
  TRUSS_CHECK(version.has_value(), who.server_version);
  return *version;
}

std::string joined(const std::vector<std::string>& urls) {
  std::string out;
  for (const std::string& url : urls) out += (out.empty() ? "" : ",") + url;
  return out;
}

}  // namespace

net::Metadata raft_headers(const Identity& who, std::optional<raft::NodeId> to) {
  net::Metadata fields = {{"X-Server-From", id_text(who.self.value())},
                          {"X-Server-Version", who.server_version},
                          {"X-Min-Cluster-Version", std::string(kMinClusterVersion)},
                          {"X-Etcd-Cluster-Id", id_text(who.cluster.value())}};
  if (to) fields.emplace_back("X-Raft-To", id_text(to->value()));
  if (!who.peer_urls.empty()) fields.emplace_back("X-Peerurls", joined(who.peer_urls));
  return fields;
}

Gate check_gate(const net::HttpRequest& request, const Identity& who) {
  const auto version = version_of(request.header("x-server-version"));
  const auto minimum = version_of(request.header("x-min-cluster-version"));
  const SemVer own_minimum = *parse_semver(kMinClusterVersion);
  if (!version || !minimum || version->compare_minor(own_minimum) < 0 ||
      minimum->compare_minor(own_version(who)) > 0) {
    return Gate::kIncompatibleVersion;
  }
  const bool same = request.header("x-etcd-cluster-id") == id_text(who.cluster.value());
  return same ? Gate::kPass : Gate::kClusterMismatch;
}

RemoteVersion check_remote_version(std::string_view header, const Identity& who) {
  const auto version = version_of(header);
  if (!version) return RemoteVersion::kNoStreams;
  if (version->compare_minor(own_version(who)) >= 0) return RemoteVersion::kFine;
  return version->compare_minor(kFirstWithStreams) < 0 ? RemoteVersion::kNoStreams
                                                       : RemoteVersion::kFine;
}

}  // namespace truss::peer
