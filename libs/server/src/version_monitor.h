#pragma once

#include "truss/common/executor.h"
#include "truss/server/server.h"
#include "version_form.h"

namespace truss::server {

class Node;

/// On the leader: raises the cluster's version to the lowest release among its servers, once all of
/// them have told theirs. A cluster without a version gets 3.0.0 while one of them is silent. While
/// the cluster is being downgraded it lowers the version instead, and ends the downgrade when every
/// server runs the target.
/// Source: etcdserver/version/monitor.go.
///
/// Lives on: upkeep executor.
class VersionMonitor {
 public:
  VersionMonitor(Node& node, Executor& executor) : node_(node), executor_(executor) {}

  /// Looks, if this member leads and isn't looking already.
  void check();

 private:
  void decide(const PolledVersions& others);
  void decide_downgrade(const PolledVersions& others, const Version& present);
  void settled() { busy_ = false; }
  void propose(const std::string& version, VersionForm form);

  Node& node_;
  Executor& executor_;
  bool busy_ = false;
};

}  // namespace truss::server
