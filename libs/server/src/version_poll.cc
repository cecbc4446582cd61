#include "version_poll.h"

#include <memory>
#include <mutex>

namespace truss::server {
namespace {

/// One poll: shared by the questions under way. Thread: any, under its lock.
class Poll final : public std::enable_shared_from_this<Poll> {
 public:
  Poll(PeerQueries& queries, std::vector<Member> members, Duration timeout,
       absl::AnyInvocable<void(PolledVersions)> done)
      : queries_(queries),
        members_(std::move(members)),
        timeout_(timeout),
        done_(std::move(done)),
        versions_(members_.size()),
        open_(members_.size()) {}

  void ask(std::size_t member, std::size_t url) {
    const auto& urls = members_[member].peer_urls;
    if (url == urls.size()) return settle(member, std::nullopt);
    queries_.version(urls[url], timeout_,
                     [self = shared_from_this(), member, url](Result<PeerVersion> answer) {
                       if (!answer && answer.error().code == Code::kCanceled) {
                         return self->settle(member, std::nullopt);
                       }
                       if (!answer) return self->ask(member, url + 1);
                       self->settle(member, *std::move(answer));
                     });
  }

 private:
  void settle(std::size_t member, std::optional<PeerVersion> version) {
    {
      std::lock_guard lock(mutex_);
      versions_[member] = std::move(version);
      if (--open_ > 0) return;
    }
    done_(std::move(versions_));
  }

  PeerQueries& queries_;
  const std::vector<Member> members_;
  const Duration timeout_;
  absl::AnyInvocable<void(PolledVersions)> done_;
  std::mutex mutex_;
  PolledVersions versions_;
  std::size_t open_;
};

}  // namespace

void poll_versions(PeerQueries& queries, const std::vector<Member>& members, Duration timeout,
                   absl::AnyInvocable<void(PolledVersions)> done) {
  if (members.empty()) return done({});
  const auto poll = std::make_shared<Poll>(queries, members, timeout, std::move(done));
  for (std::size_t i = 0; i < members.size(); ++i) poll->ask(i, 0);
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
