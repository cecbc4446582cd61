#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/error.h"
#include "truss/peer/local_member.h"

/// Bodies of the short requests between members, both ways: JSON as Go writes it, and the few
/// Protobuf messages of the lease requests.
///
/// Readers are bounds-checked and take bodies of at most 4 MiB. *Errors:* kInvalidArgument.
/// *Thread:* any.
namespace truss::peer {

/// One element of `GET /members`.
struct MemberInfo {
  raft::NodeId id;
  std::vector<std::string> peer_urls;
  bool is_learner = false;
  std::string name;
  std::vector<std::string> client_urls;

  friend bool operator==(const MemberInfo&, const MemberInfo&) = default;
};
Result<std::vector<MemberInfo>> parse_members(std::string_view json);

/// `{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}`, from 3.6 on with `"storage":"3.6.0"`.
std::string versions_json(const Versions& versions);
/// `not_decided` and `unknown` become empty.
Result<Versions> parse_versions(std::string_view json);

/// `{"revision":7}`, or `{}` of 0.
std::string hash_kv_request_json(std::int64_t revision);
Result<std::int64_t> parse_hash_kv_request(std::string_view json);
/// Zeros are left out; `hash_revision` only `with_hash_revision` (3.6 and later).
std::string hash_kv_json(const HashKv& answer, bool with_hash_revision);
Result<HashKv> parse_hash_kv(std::string_view json);

/// LeaseKeepAliveRequest and LeaseKeepAliveResponse (without its header).
std::string renew_request(std::int64_t id);
Result<std::int64_t> parse_renew_request(std::string_view bytes);
std::string renew_response(std::int64_t id, std::int64_t ttl_seconds);
/// The TTL. *Errors:* also if it speaks of another lease.
Result<std::int64_t> parse_renew_response(std::string_view bytes, std::int64_t id);

/// LeaseInternalRequest and LeaseInternalResponse.
struct TimeToLiveRequest {
  std::int64_t id = 0;
  bool keys = false;

  friend bool operator==(const TimeToLiveRequest&, const TimeToLiveRequest&) = default;
};
std::string time_to_live_request(const TimeToLiveRequest& request);
/// *Errors:* also without the inner request, on which etcd's handler panics.
Result<TimeToLiveRequest> parse_time_to_live_request(std::string_view bytes);
std::string time_to_live_response(const LeaseTimeToLive& answer);
Result<LeaseTimeToLive> parse_time_to_live_response(std::string_view bytes);

}  // namespace truss::peer
