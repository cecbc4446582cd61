#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/error.h"
#include "truss/raft/types.h"

namespace truss::server {

using ClusterId = Strong<struct ClusterIdTag>;

/// One member of the cluster as etcd keeps it (bolt bucket `members`, v2-store JSON, contexts of
/// membership entries).
struct Member {
  raft::NodeId id;
  std::vector<std::string> peer_urls{};
  bool is_learner = false;
  std::string name{};                      ///< empty until the member first published itself
  std::vector<std::string> client_urls{};  ///< likewise

  bool started() const { return !name.empty(); }
  friend bool operator==(const Member&, const Member&) = default;
};

/// Id of a member: SHA-1 of its sorted peer URLs and the token (and, for a member added at run
/// time, the Unix time in decimal), first eight bytes. Source: membership.computeMemberId.
raft::NodeId compute_member_id(std::vector<std::string> peer_urls, std::string_view token,
                               std::int64_t unix_seconds = 0);
/// Id of a new cluster: SHA-1 of the ascending member ids, big-endian, first eight bytes.
ClusterId compute_cluster_id(std::vector<raft::NodeId> members);

/// `d906e0ff60cc6fb6`: hex without leading zeros, as in bolt keys, v2 paths and logs.
std::string id_text(std::uint64_t id);
inline std::string id_text(raft::NodeId id) { return id_text(id.value()); }
inline std::string id_text(ClusterId id) { return id_text(id.value()); }

/// Go's JSON of a Member: `{"id":N,"peerURLs":[…],"isLearner":true,"name":"…","clientURLs":[…]}`,
/// the last three left out when empty. Decimal id, `<`, `>`, `&` as \u00XX.
std::string member_json(const Member& member);
/// Context of a promotion: `{"id":N,"peerURLs":null,"isPromote":true}`.
std::string promote_json(raft::NodeId id);

/// Context of a membership entry: a Member and the flag that makes an AddNode a promotion.
struct MemberContext {
  Member member;
  bool is_promote = false;
};
/// Errors: kCorruption if the text is not such an object.
Result<MemberContext> parse_member_json(std::string_view json);

/// `{"name":"…","clientURLs":[…]}`: the published half of a member in the v2 store.
std::string attributes_json(std::string_view name, const std::vector<std::string>& client_urls);
struct PublishedAttributes {
  std::string name;
  std::vector<std::string> client_urls;
};
/// The reverse of attributes_json. Errors: kCorruption if the text is not such an object.
Result<PublishedAttributes> parse_attributes_json(std::string_view json);
/// `{"peerURLs":[…],"isLearner":true}`: the raft half of a member in the v2 store.
std::string raft_attributes_json(const Member& member);

}  // namespace truss::server
