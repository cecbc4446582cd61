#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/lease/lessor.h"
#include "truss/mvcc/requests.h"
#include "truss/schema/membership.h"
#include "truss/server/response.h"

/// What one normal log entry asks for. All views point into the entry's bytes.
namespace truss::server {

struct CompactionRequest {
  std::int64_t revision = 0;
  bool physical = false;
};
struct LeaseGrantRequest {
  std::int64_t ttl_seconds = 0;
  std::int64_t id = 0;
};
struct LeaseRevokeRequest {
  std::int64_t id = 0;
};
struct LeaseCheckpointRequest {
  std::vector<lease::Checkpoint> checkpoints;
};
struct AlarmRequest {
  AlarmAction action = AlarmAction::kGet;
  AlarmMember alarm;
};
struct ClusterVersionSet {
  std::string version;  ///< `3.6.0`
};
struct MemberAttributesSet {
  raft::NodeId member;
  std::string name;
  std::vector<std::string> client_urls;
};
struct DowngradeInfoSet {
  schema::Downgrade info;
};
/// The bare v2 Request that 3.4 and 3.5 log for attributes and the cluster version.
struct LegacyRequest {
  std::uint64_t id = 0;
  std::string method;
  std::string path;
  std::string value;
};
/// A known operation that changes nothing here: a read, an authentication.
struct NoChange {
  std::uint32_t field = 0;
};
/// An operation that would change what this member does not keep (users, roles).
struct Unsupported {
  std::uint32_t field = 0;  ///< of InternalRaftRequest
};

struct LogRequest {
  std::uint64_t id = 0;  ///< finds the waiter
  std::variant<std::monostate, mvcc::PutRequest, mvcc::DeleteRangeRequest, mvcc::TxnRequest,
               CompactionRequest, LeaseGrantRequest, LeaseRevokeRequest, LeaseCheckpointRequest,
               AlarmRequest, ClusterVersionSet, MemberAttributesSet, DowngradeInfoSet,
               LegacyRequest, NoChange, Unsupported>
      op;
};

/// Decodes an entry's data as etcd does: strictly as an InternalRaftRequest (every nested message
/// eagerly), and if that fails as a bare legacy Request.
/// Errors: kCorruption if it is neither.
Result<LogRequest> decode_log_request(ByteView data);

/// The request inside a txn's op field. Errors: kCorruption.
Result<mvcc::TxnRequest> decode_txn_request(ByteView body);
Result<mvcc::PutRequest> decode_put_request(ByteView body);
Result<CompactionRequest> decode_compaction_request(ByteView body);

/// `auth_enable` of 1000: the field's name in etcd's proto, or its number.
std::string request_field_name(std::uint32_t field);

}  // namespace truss::server
