#pragma once

#include <optional>
#include <string>
#include <vector>

#include "corruption.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/server/peer_queries.h"

namespace truss::server {

/// Questions to the members of a cluster before this one runs: each call waits for its answers.
///
/// Thread: the one that starts the server; `executor` is only what it waits by.
class ClusterInquiry {
 public:
  ClusterInquiry(PeerQueries& queries, Executor& executor, Clock& clock, Logger& logger)
      : queries_(queries), executor_(executor), clock_(clock), logger_(logger) {}

  /// The answer of the first URL that gives a readable one. `quiet`: failures are expected.
  /// Errors: nobody answered, or the list is empty. Source: etcdserver.getClusterFromRemotePeers.
  Result<PeerMembers> members(const std::vector<std::string>& urls, Duration timeout, bool quiet);
  /// Versions of the members, in their order, asked at the same time; nullopt where no URL
  /// answered.
  std::vector<std::optional<PeerVersion>> versions(const std::vector<Member>& members,
                                                   Duration timeout);
  /// Their hashes of the data at `revision`, asked for at the same time.
  std::vector<PeerHash> hashes(const std::vector<Member>& members, ClusterId cluster,
                               std::int64_t revision, Duration timeout);
  /// Whether a downgrade is under way, by the first member that knows; false if none does.
  bool downgrade_enabled(const std::vector<Member>& members, Duration timeout);
  /// Whether two sets of URLs are the same: by their texts, else by what their hosts resolve to.
  /// All resolving of one inquiry shares 30 s.
  bool same_urls(std::vector<std::string> a, std::vector<std::string> b);

 private:
  std::optional<std::string> resolve(const std::string& url);

  PeerQueries& queries_;
  Executor& executor_;
  Clock& clock_;
  Logger& logger_;
  std::optional<MonoTime> resolve_until_;
};

}  // namespace truss::server
