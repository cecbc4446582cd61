#pragma once

#include <optional>
#include <string_view>

#include "version_poll.h"

namespace truss::server {

/// How a member's attributes and the cluster's version are written in the log: 3.4 and 3.5 write
/// bare v2 Requests, 3.6 and later fields 1301 and 1300 of InternalRaftRequest. 3.4 dies of the new
/// form, 3.7 of the old one.
enum class VersionForm : std::uint8_t { kLegacy, kInternal };

/// As far as the cluster's version tells; nullopt: ask the servers. `alone`: the only member.
std::optional<VersionForm> form_by_cluster(CompatLevel level, std::string_view cluster_version,
                                           bool alone);
/// By the versions of the other servers; one that is not known may be old.
VersionForm form_by_servers(CompatLevel level, const PolledVersions& others);

}  // namespace truss::server
