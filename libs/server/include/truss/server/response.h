#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "truss/raft/types.h"
#include "truss/server/member.h"

// The store's own words; their headers are truss/mvcc/*.h and truss/lease/*.h.
namespace truss::mvcc {
class Store;
struct HashKvResult;
}  // namespace truss::mvcc
namespace truss::lease {
class Lessor;
}  // namespace truss::lease

namespace truss::server {

/// mvccpb.KeyValue as a value.
struct KeyValue {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
  std::int64_t lease = 0;

  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

struct RangeResult {
  std::int64_t revision = 0;  ///< current revision at the read
  std::vector<KeyValue> kvs;
  bool more = false;
  std::int64_t count = 0;
};

struct PutResult {
  std::int64_t revision = 0;
  std::optional<KeyValue> previous;  ///< if asked for and there was one
};

struct DeleteRangeResult {
  std::int64_t revision = 0;
  std::int64_t deleted = 0;
  std::vector<KeyValue> previous;  ///< if asked for
};

struct TxnOpResult;

struct TxnResult {
  std::int64_t revision = 0;  ///< 0 in a nested transaction: its header stays empty
  bool succeeded = false;
  std::vector<TxnOpResult> responses;  ///< in the order of the operations
};

/// Answer of one operation of a transaction.
struct TxnOpResult {
  std::variant<RangeResult, PutResult, DeleteRangeResult, TxnResult> result;
};

struct LeaseGrantResult {
  std::int64_t id = 0;
  std::int64_t ttl_seconds = 0;  ///< as granted: never below the minimum
};

enum class AlarmType : std::uint8_t { kNone = 0, kNoSpace = 1, kCorrupt = 2 };
enum class AlarmAction : std::uint8_t { kGet = 0, kActivate = 1, kDeactivate = 2 };

struct AlarmMember {
  raft::NodeId member;
  AlarmType alarm = AlarmType::kNone;

  friend auto operator<=>(const AlarmMember&, const AlarmMember&) = default;
};

/// `memberID:185828541645115251 alarm:NOSPACE `: the form in Status.errors (with its last space).
std::string alarm_text(const AlarmMember& alarm);

/// Answer of an alarm operation: the alarms it names.
struct AlarmResult {
  std::vector<AlarmMember> alarms;
};

/// Answer of a membership change: the members as of applying it, ascending by id.
struct MembersResult {
  std::vector<Member> members;
  Member changed;  ///< the member added, or as it is after the change
};

/// What applying one proposal gave. `revision` is the store's at that moment: what the response
/// header shows. monostate: nothing but the header.
struct ApplyResponse {
  std::int64_t revision = 0;
  std::variant<std::monostate, PutResult, DeleteRangeResult, TxnResult, LeaseGrantResult,
               AlarmResult, MembersResult>
      result;
};

}  // namespace truss::server
