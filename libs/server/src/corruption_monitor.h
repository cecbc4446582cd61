#pragma once

#include <memory>

#include "corruption.h"
#include "truss/common/executor.h"

namespace truss::server {

class Node;

/// On the leader: compares the members' data from time to time, and raises the alarm CORRUPT, under
/// which nobody writes or reads, when they can't come from one history.
///
/// Lives on: upkeep executor.
class CorruptionMonitor {
 public:
  CorruptionMonitor(Node& node, Executor& executor) : node_(node), executor_(executor) {}

  /// Looks, if this member leads and isn't looking already.
  void check();

 private:
  void ask_others(const mvcc::HashKv& before);
  void look_again(const mvcc::HashKv& before, std::vector<PeerHash> others);
  void judge(const mvcc::HashKv& before, const mvcc::HashKv& after,
             const std::vector<PeerHash>& others);
  void give_up(const Error& why);

  Node& node_;
  Executor& executor_;
  bool busy_ = false;
};

}  // namespace truss::server
