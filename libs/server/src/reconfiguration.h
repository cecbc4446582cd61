#pragma once

#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/server/compat.h"
#include "truss/server/member.h"
#include "truss/server/transport.h"

namespace truss::server {

/// etcd's strict checks before a membership change is proposed: the cluster must keep a quorum of
/// started and reachable voters. A peer counts as reachable once it has been so for 5 s.
///
/// A view of one moment. Thread: any.
class Reconfiguration {
 public:
  Reconfiguration(std::vector<Member> members, raft::NodeId self, const Transport& transport,
                  MonoTime now, CompatLevel level);

  /// Errors: member_not_enough_started (voters only), unhealthy.
  Result<> may_add(bool learner) const;
  /// Errors: member_not_enough_started, unhealthy. A learner may always go.
  Result<> may_remove(raft::NodeId id) const;
  /// Errors: member_not_enough_started.
  Result<> may_promote() const;

 private:
  std::size_t connected() const;
  std::size_t started() const;

  std::vector<Member> voters_;
  std::vector<Member> learners_;
  raft::NodeId self_;
  const Transport& transport_;
  MonoTime now_;
  CompatLevel level_;
};

}  // namespace truss::server
