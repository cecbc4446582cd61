#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/waltool/judge.h"

/// After a lost quorum: which of the remaining directories to go on with.
namespace truss::waltool {

/// One member's directory in short.
struct Survivor {
  std::string dir;
  raft::NodeId node_id;
  std::uint64_t cluster_id = 0;
  Verdict verdict{};
  raft::Term term;          ///< of its hard state
  raft::Term last_term;     ///< of the last usable entry
  raft::Index usable_last;  ///< last entry that it holds, by log or db, with all before it
  raft::Index commit;       ///< highest index that it knows to be committed
  std::uint64_t consistent_index = 0;
  std::int64_t revision = 0;
  MemberIds members;  ///< as its db has them, else its newest .snap
  std::string loses;  ///< filled by rank()
};

Survivor survivor_of(std::string dir, const Evidence& evidence);

/// Sorts the best to the front: raft's own rule, last term, then last index; then what the db has
/// applied. Fills `loses`.
/// *Errors:* kInvalidArgument if they are of several clusters, or one member comes twice.
Result<> rank(std::vector<Survivor>& survivors);

}  // namespace truss::waltool
