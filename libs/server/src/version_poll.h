#pragma once

#include <optional>
#include <vector>

#include "truss/server/compat.h"
#include "truss/server/peer_queries.h"

namespace truss::server {

using PolledVersions = std::vector<std::optional<PeerVersion>>;

/// Asks every member for its versions, all at the same time, each at its URLs one after the other.
/// `done` gets the answers in the order of `members`, nullopt where no URL gave one; it runs on
/// a thread of `queries`, maybe inside the call, and must only post.
/// Source: etcdserver.getMembersVersions.
void poll_versions(PeerQueries& queries, const std::vector<Member>& members, Duration timeout,
                   absl::AnyInvocable<void(PolledVersions)> done);

/// Lowest release among the server versions; nullopt if one of them is not known.
std::optional<Version> lowest_server(const PolledVersions& versions);

}  // namespace truss::server
