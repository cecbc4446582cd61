#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

/// Small records outside bucket `key`: numbers, leases, alarms, versions, confState.
namespace truss::schema {

/// consistent_index, term, authRevision. Format: u64be.
std::string encode_u64(std::uint64_t value);
/// Errors: kCorruption unless 8 bytes.
Result<std::uint64_t> decode_u64(ByteView bytes);

/// A record of bucket `lease`. Times in seconds.
struct LeaseRecord {
  std::int64_t id = 0;
  std::int64_t ttl = 0;
  std::int64_t remaining_ttl = 0;  ///< 0: never checkpointed

  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};
/// Key of bucket `lease`. Format: u64be of the id.
std::string lease_key(std::int64_t id);
std::string encode_lease(const LeaseRecord& lease);
/// Errors: kCorruption.
Result<LeaseRecord> decode_lease(ByteView bytes);

enum class AlarmType : std::int32_t { kNone = 0, kNoSpace = 1, kCorrupt = 2 };
/// A key of bucket `alarm` (its value is empty).
struct Alarm {
  std::uint64_t member_id = 0;
  AlarmType type = AlarmType::kNone;

  friend auto operator<=>(const Alarm&, const Alarm&) = default;
};
std::string encode_alarm(const Alarm& alarm);
/// Errors: kCorruption.
Result<Alarm> decode_alarm(ByteView bytes);

/// raftpb.ConfState as bucket `meta` keeps it from 3.5 on (JSON).
struct ConfState {
  std::vector<std::uint64_t> voters;
  std::vector<std::uint64_t> learners;
  std::vector<std::uint64_t> voters_outgoing;
  std::vector<std::uint64_t> learners_next;
  bool auto_leave = false;

  friend bool operator==(const ConfState&, const ConfState&) = default;
};
/// `{"voters":[1,2],"auto_leave":false}`; empty lists omitted.
std::string encode_conf_state(const ConfState& state);
/// Errors: kCorruption.
Result<ConfState> decode_conf_state(ByteView json);

}  // namespace truss::schema
