#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace truss::raft {

/// What an empty set of voters has agreed on.
inline constexpr std::uint64_t kEverything = UINT64_MAX;

enum class VoteResult : std::uint8_t { kPending, kLost, kWon };

/// The largest position that a majority of the voters has reached; `acked` holds one position a
/// voter (0 if unknown), in any order, and is reordered. No voters: kEverything.
/// Source: raft paper §5.3; etcd-io/raft quorum.MajorityConfig.CommittedIndex.
std::uint64_t majority_position(std::span<std::uint64_t> acked);

/// The outcome of `yes` and `no` answers among `voters`. No voters: won.
VoteResult majority_vote(std::size_t voters, std::size_t yes, std::size_t no);

/// Both halves of a joint configuration must win; one lost half is enough to lose.
VoteResult joint_vote(VoteResult incoming, VoteResult outgoing);

}  // namespace truss::raft
