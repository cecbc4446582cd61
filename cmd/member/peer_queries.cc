#include "peer_queries.h"

#include <algorithm>

namespace truss::member {
namespace {

server::Member member_of(peer::MemberInfo info) {
  return {info.id, std::move(info.peer_urls), info.is_learner, std::move(info.name),
          std::move(info.client_urls)};
}

std::vector<server::Member> members_of(std::vector<peer::MemberInfo> infos) {
  std::vector<server::Member> members;
  members.reserve(infos.size());
  for (peer::MemberInfo& info : infos) members.push_back(member_of(std::move(info)));
  return members;
}

server::PeerMembers peer_members(peer::Queries::Members answer) {
  return {server::ClusterId(answer.cluster.value()), members_of(std::move(answer.members))};
}

server::PeerVersion peer_version(peer::Versions v) {
  return {std::move(v.server), v.cluster.empty() ? "not_decided" : std::move(v.cluster),
          v.storage.value_or("")};
}

lease::LeaseInfo lease_info(peer::LeaseTimeToLive answer) {
  lease::LeaseInfo info;
  info.id = static_cast<lease::LeaseId>(answer.id);
  info.granted_ttl = answer.granted_ttl_seconds;
  info.remaining_ttl = answer.ttl_seconds;
  info.keys = std::move(answer.keys);
  std::sort(info.keys.begin(), info.keys.end());
  return info;
}

server::PeerHashKv peer_hash(const peer::HashKv& h) {
  return {h.current_revision, h.hash, h.compact_revision, h.hash_revision};
}

/// A callback that takes what libs/peer answers.
template <class Done, class Convert>
auto converted(Done done, Convert convert) {
  return [done = std::move(done), convert](auto answer) mutable {
    done(std::move(answer).map(convert));
  };
}

}  // namespace

void PeerQueries::members(const std::string& url, Duration timeout,
                          Callback<server::PeerMembers> done) {
  queries_.members(url, timeout, converted(std::move(done), peer_members));
}

void PeerQueries::version(const std::string& url, Duration timeout,
                          Callback<server::PeerVersion> done) {
  queries_.version(url, timeout, converted(std::move(done), peer_version));
}

void PeerQueries::downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done) {
  queries_.downgrade_enabled(url, timeout, std::move(done));
}

void PeerQueries::lease_renew(const std::string& url, std::int64_t id, Duration timeout,
                              Callback<std::int64_t> done) {
  queries_.renew_lease(url, id, timeout, std::move(done));
}

void PeerQueries::lease_time_to_live(const std::string& url, std::int64_t id, bool keys,
                                     Duration timeout, Callback<lease::LeaseInfo> done) {
  queries_.lease_time_to_live(url, id, keys, timeout, converted(std::move(done), lease_info));
}

void PeerQueries::promote(const std::string& url, raft::NodeId id, Duration timeout,
                          Callback<std::vector<server::Member>> done) {
  queries_.promote(url, id, timeout, converted(std::move(done), members_of));
}

void PeerQueries::hash_kv(const std::string& url, server::ClusterId cluster, std::int64_t revision,
                          Duration timeout, Callback<server::PeerHashKv> done) {
  queries_.hash_kv(url, peer::ClusterId(cluster.value()), revision, timeout,
                   converted(std::move(done), peer_hash));
}

void PeerQueries::resolve(const std::string& url, Duration timeout, Callback<std::string> done) {
  queries_.resolve(url, timeout, std::move(done));
}

}  // namespace truss::member
