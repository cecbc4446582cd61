#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "truss/mvcc/requests.h"
#include "truss/raft/types.h"
#include "truss/server/member.h"

namespace truss::server {

struct LeaseGrantResult {
  std::int64_t id = 0;
  std::int64_t ttl_seconds = 0;  ///< as granted: never below the minimum
};

enum class AlarmType : std::int32_t { kNone = 0, kNoSpace = 1, kCorrupt = 2 };
enum class AlarmAction : std::int32_t { kGet = 0, kActivate = 1, kDeactivate = 2 };

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
  std::variant<std::monostate, mvcc::PutResult, mvcc::DeleteRangeResult, mvcc::TxnResult,
               LeaseGrantResult, AlarmResult, MembersResult>
      result;
};

}  // namespace truss::server
