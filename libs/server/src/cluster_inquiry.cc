#include "cluster_inquiry.h"

#include <algorithm>
#include <future>

#include "truss/common/await.h"
#include "version_poll.h"

namespace truss::server {
namespace {

constexpr Duration kResolveLimit = std::chrono::seconds(30);

/// Calls `ask` with a callback and waits until it was called.
template <class T, class Ask>
T wait_for(Executor& executor, Ask ask) {
  std::promise<T> promise;
  auto future = promise.get_future();
  ask([promise = std::move(promise)](T answer) mutable { promise.set_value(std::move(answer)); });
  return await(executor, std::move(future));
}

}  // namespace

Result<PeerMembers> ClusterInquiry::members(const std::vector<std::string>& urls, Duration timeout,
                                            bool quiet) {
  for (const std::string& url : urls) {
    auto answer = wait_for<Result<PeerMembers>>(
        executor_, [&](auto done) { queries_.members(url, timeout, std::move(done)); });
    if (answer && answer->members.empty()) {
      return fail(Code::kUnavailable, "failed to get raft cluster member(s) from the given URLs (" +
                                          url + " lists no members)");
    }
    if (answer) return answer;
    if (quiet) continue;
    logger_.warn("failed to get cluster response",
                 {{"address", url + "/members"}, {"error", answer.error().message}});
  }
  return fail(Code::kUnavailable, "could not retrieve cluster information from the given URLs");
}

std::vector<std::optional<PeerVersion>> ClusterInquiry::versions(const std::vector<Member>& members,
                                                                 Duration timeout) {
  return wait_for<std::vector<std::optional<PeerVersion>>>(
      executor_, [&](auto done) { poll_versions(queries_, members, timeout, std::move(done)); });
}

std::vector<PeerHash> ClusterInquiry::hashes(const std::vector<Member>& members, ClusterId cluster,
                                             std::int64_t revision, Duration timeout) {
  return wait_for<std::vector<PeerHash>>(executor_, [&](auto done) {
    poll_hashes(queries_, members, cluster, revision, timeout, std::move(done));
  });
}

bool ClusterInquiry::downgrade_enabled(const std::vector<Member>& members, Duration timeout) {
  for (const Member& member : members) {
    for (const std::string& url : member.peer_urls) {
      const auto answer = wait_for<Result<bool>>(
          executor_, [&](auto done) { queries_.downgrade_enabled(url, timeout, std::move(done)); });
      if (answer) return *answer;
    }
  }
  return false;
}

bool ClusterInquiry::same_urls(std::vector<std::string> a, std::vector<std::string> b) {
  if (a.size() != b.size()) return false;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  if (a == b) return true;
  for (std::vector<std::string>* urls : {&a, &b}) {
    for (std::string& url : *urls) {
      auto resolved = resolve(url);
      if (!resolved) return false;
      url = *std::move(resolved);
    }
    std::sort(urls->begin(), urls->end());
  }
  return a == b;
}

std::optional<std::string> ClusterInquiry::resolve(const std::string& url) {
  const MonoTime now = clock_.now();
  if (!resolve_until_) resolve_until_ = now + kResolveLimit;
  if (now >= *resolve_until_) return std::nullopt;
  auto answer = wait_for<Result<std::string>>(
      executor_, [&](auto done) { queries_.resolve(url, *resolve_until_ - now, std::move(done)); });
  if (answer) return *std::move(answer);
  logger_.warn("failed to resolve URL Host", {{"url", url}, {"error", answer.error().message}});
  return std::nullopt;
}

}  // namespace truss::server
