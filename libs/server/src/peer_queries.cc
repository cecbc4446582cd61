#include "truss/server/peer_queries.h"

namespace truss::server {
namespace {

Unexpected nobody() { return fail(Code::kUnavailable, "this member has no way to ask its peers"); }

}  // namespace

NullPeerQueries& NullPeerQueries::instance() {
  static NullPeerQueries none;
  return none;
}

void NullPeerQueries::members(const std::string&, Duration, Callback<PeerMembers> done) {
  done(nobody());
}
void NullPeerQueries::version(const std::string&, Duration, Callback<PeerVersion> done) {
  done(nobody());
}
void NullPeerQueries::downgrade_enabled(const std::string&, Duration, Callback<bool> done) {
  done(nobody());
}
void NullPeerQueries::lease_renew(const std::string&, std::int64_t, Duration,
                                  Callback<std::int64_t> done) {
  done(nobody());
}
void NullPeerQueries::lease_time_to_live(const std::string&, std::int64_t, bool, Duration,
                                         Callback<lease::LeaseInfo> done) {
  done(nobody());
}
void NullPeerQueries::promote(const std::string&, raft::NodeId, Duration,
                              Callback<std::vector<Member>> done) {
  done(nobody());
}
void NullPeerQueries::hash_kv(const std::string&, ClusterId, std::int64_t, Duration,
                              Callback<PeerHashKv> done) {
  done(nobody());
}
void NullPeerQueries::resolve(const std::string& url, Duration, Callback<std::string> done) {
  done(url);
}

}  // namespace truss::server
