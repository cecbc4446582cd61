#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "tracker.h"
#include "truss/raft/types.h"

namespace truss::raft {

struct ReadRequest {
  NodeId from;  ///< kNoNode: asked here
  SharedBytes context;
};

/// Reads that wait for a quorum to confirm this leader. Each gets the next position; heartbeats
/// carry the newest one, and a quorum at a position releases all reads up to it. Positions, unlike
/// the callers' contexts, are never used twice in a term, so an old answer can't release a new
/// read. Source: etcd-io/raft readOnly (3.7); raft thesis §6.4.
class ReadQueue {
 public:
  struct Waiting {
    std::uint64_t position = 0;
    Index index;
    ReadRequest request;
  };

  /// Queues a read of the state at `committed`; returns its position.
  std::uint64_t add(ReadRequest request, Index committed);
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  /// Position of the newest waiting read. Caution: not to be called when empty().
  std::uint64_t newest() const { return waiting_.back().position; }
  /// Moves the reads at or below `confirmed` to `out`, oldest first.
  void release(std::uint64_t confirmed, std::vector<Waiting>& out);

 private:
  std::uint64_t last_position_ = 0;
  std::vector<Waiting> waiting_;
};

/// A position as the context of a heartbeat: eight bytes, little-endian.
inline constexpr std::size_t kReadContextBytes = 8;
SharedBytes read_context(std::uint64_t position);
/// False for a context of another shape: followers echo what they got, old leaders send others.
bool read_position(ByteView context, std::uint64_t& position);

struct Follower {
  NodeId leader;
};

struct PreCandidate {
  Tally votes;
};

struct Candidate {
  Tally votes;
};

struct Leader {
  std::uint64_t heartbeat_elapsed = 0;
  NodeId transferee;         ///< kNoNode unless leadership is being transferred
  Index pending_conf_index;  ///< no conf change may be proposed before this one is applied
  std::uint64_t uncommitted_bytes = 0;  ///< payload of entries not known to be applied
  ReadQueue reads;
};

using RoleData = std::variant<Follower, PreCandidate, Candidate, Leader>;

}  // namespace truss::raft
