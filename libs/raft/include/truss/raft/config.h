#pragma once

#include <cstdint>
#include <limits>

#include "truss/common/error.h"
#include "truss/raft/types.h"

namespace truss::raft {

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

enum class ReadMode : std::uint8_t {
  kSafe,   ///< one heartbeat round with a quorum; needs no clock
  kLease,  ///< the leader's lease; needs check_quorum and bounded clock drift
};

/// How one voter behaves. Times are in ticks, sizes in bytes; limits default to none.
/// Source: etcd-io/raft Config.
struct Config {
  NodeId id;                         ///< not zero, not one of the pseudo-nodes
  std::uint64_t election_tick = 10;  ///< base time-out; each draw is in [election, 2*election)
  std::uint64_t heartbeat_tick = 1;  ///< less than election_tick
  Index applied;                     ///< last applied index at restart; entries after it come again
  bool async_storage_writes = false;  ///< storage work travels as messages; advance() is not used

  std::uint64_t max_size_per_message = kNoLimit;   ///< encoded entries of one MsgApp; 0: one entry
  std::uint64_t max_committed_size_per_ready = 0;  ///< encoded; 0: as max_size_per_message
  std::uint64_t max_uncommitted_size = 0;          ///< payload bytes of the leader's tail; 0: none
  std::uint64_t max_inflight_messages = 256;       ///< MsgApp without answer per peer; > 0
  std::uint64_t max_inflight_bytes = 0;            ///< their payload; 0: no limit

  bool check_quorum = false;  ///< a leader without an active quorum steps down; shields leases
  bool pre_vote = false;      ///< ask before raising the term
  ReadMode read_mode = ReadMode::kSafe;
  /// Loses less time than etcd over elections that nobody can win, and over leaders that hear
  /// nobody; see src/contest.cc. Peers may do without.
  bool brisk_elections = false;
  bool disable_proposal_forwarding = false;     ///< followers refuse instead of forwarding
  bool disable_conf_change_validation = false;  ///< membership entries pass unchecked
  bool step_down_on_removal = false;            ///< a leader that removed itself steps down

  bool check_invariants = false;  ///< run the invariant checker after every input (tests)
};

/// Whether `config` can work. *Errors:* kInvalidArgument, naming the field.
Result<> validate(const Config& config);

}  // namespace truss::raft
