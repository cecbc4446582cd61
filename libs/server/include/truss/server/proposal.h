#pragma once

#include <cstdint>
#include <string_view>

#include "truss/common/bytes.h"

namespace truss::server {

/// Operations that go through the log, by their field number in etcd's InternalRaftRequest.
enum class Op : std::uint32_t {
  kPut = 4,
  kDeleteRange = 5,
  kTxn = 6,
  kCompaction = 7,
  kLeaseGrant = 8,
  kLeaseRevoke = 9,
  kAlarm = 10,
  kLeaseCheckpoint = 11,
  kClusterVersionSet = 1300,
  kMemberAttributesSet = 1301,
  kDowngradeInfoSet = 1302,
};

/// The bytes of one normal log entry: an InternalRaftRequest with the operation's own encoding
/// spliced in unchanged, and header {ID} after it or before it, in ascending field order.
/// `body` must be canonical (ascending fields, known fields only, minimal varints): etcd's decoder
/// and every other member will read it.
/// Format: `22 <len> <put> a2 06 <len> 08 <id>` for a put.
SharedBytes encode_internal_request(Op op, ByteView body, std::uint64_t id);

}  // namespace truss::server
