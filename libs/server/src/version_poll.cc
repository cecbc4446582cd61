#include "version_poll.h"

#include "peer_poll.h"

namespace truss::server {

void poll_versions(PeerQueries& queries, const std::vector<Member>& members, Duration timeout,
                   absl::AnyInvocable<void(PolledVersions)> done) {
  PeerPoll<PeerVersion>::begin(
      members,
      [&queries, timeout](const std::string& url, PeerPoll<PeerVersion>::Answer answer) {
        queries.version(url, timeout, std::move(answer));
      },
      [done = std::move(done)](std::vector<Result<PeerVersion>> answers) mutable {
        PolledVersions versions;
        for (auto& answer : answers) {
          versions.push_back(answer ? std::optional(*std::move(answer)) : std::nullopt);
        }
        done(std::move(versions));
      });
}

std::optional<Version> lowest_server(const PolledVersions& versions) {
  std::optional<Version> lowest;
  for (const auto& answer : versions) {
    const auto version = answer ? parse_version(answer->server) : std::nullopt;
    if (!version) return std::nullopt;
    if (!lowest || *version < *lowest) lowest = version;
  }
  return lowest;
}

}  // namespace truss::server
