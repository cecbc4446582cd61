#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/raw_node.h"

namespace truss::peertool {

/// One of two voters, with its log in memory; the other is the member that is measured. It stands
/// for election once and stays leader: it never checks for a quorum.
///
/// Lives on: the rig's thread.
class RaftLeader {
 public:
  using Send = std::function<void(std::vector<raft::Message>)>;

  /// Founds the cluster as its members do: an AddNode entry for each, ascending by id.
  static Result<std::unique_ptr<RaftLeader>> create(raft::NodeId self, raft::NodeId other,
                                                    Send send);

  void campaign();
  void tick();
  void step(raft::Message message);
  /// Index of the entry. Errors: kFailedPrecondition if it can't be taken now.
  Result<raft::Index> propose(SharedBytes data);
  void unreachable(raft::NodeId id);

  /// It has committed an entry of its own term.
  bool leads() const;
  raft::Term term() const { return node_->basic_status().hard_state.term; }
  raft::Index committed() const { return node_->basic_status().hard_state.commit; }

 private:
  RaftLeader(raft::NodeId self, Send send) : self_(self), send_(std::move(send)) {}
  void pump();
  void apply(const std::vector<raft::Entry>& entries);

  const raft::NodeId self_;
  const Send send_;
  SeededRandom random_{entropy64()};
  NullLogger logger_;
  raft::MemoryStorage storage_;
  std::unique_ptr<raft::RawNode> node_;
  raft::Index applied_;
};

}  // namespace truss::peertool
