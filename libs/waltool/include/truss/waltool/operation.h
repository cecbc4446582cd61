#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/raft/types.h"

/// What an entry asks for, in words.
namespace truss::waltool {

enum class OperationKind : std::uint8_t {
  kEmpty,  ///< a new leader's no-op
  kPut,
  kDeleteRange,
  kTxn,
  kRange,
  kCompaction,
  kLeaseGrant,
  kLeaseRevoke,
  kLeaseCheckpoint,
  kAlarm,
  kAuth,     ///< users, roles, authentication
  kCluster,  ///< cluster version, member attributes, downgrade
  kRequest,  ///< legacy v2 request
  kConfChange,
  kUnknown,  ///< does not decode
};
/// `put`, `delete-range`, … as printed.
std::string operation_name(OperationKind kind);

/// A key that an operation writes (or, of a range, reads). Views into the entry's data.
struct Touch {
  OperationKind kind{};  ///< kPut, kDeleteRange or kRange
  ByteView key;
  ByteView range_end;
  ByteView value;
  std::int64_t lease = 0;
};

struct Operation {
  OperationKind kind = OperationKind::kUnknown;
  std::string name;            ///< operation_name, or etcd's field name for kAuth and kCluster
  std::uint64_t id = 0;        ///< request id
  std::string user;            ///< from the request's header
  std::vector<Touch> touches;  ///< of a txn: those of both branches, in order
  std::string text;            ///< one line for people
};

/// Decodes an entry's payload as etcd does. Passwords are left out. Never fails: what does not
/// decode is kUnknown. Views point into `data`.
Operation decode_operation(raft::EntryType type, ByteView data);

}  // namespace truss::waltool
