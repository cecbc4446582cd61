#pragma once

#include <optional>
#include <vector>

#include "cluster_inquiry.h"
#include "truss/server/config.h"

namespace truss::server {

/// What a member that joins learned from the cluster.
struct Joining {
  raft::NodeId self;
  ClusterId cluster;
  CompatLevel level;
  std::vector<Member> members;  ///< as the cluster lists them, this one among them
};

/// Asks the cluster that `--initial-cluster` names for its id, for this member's id and for its
/// version. Nothing is written. The level is the cluster's, unless `--compat` is higher.
///
/// Errors, with etcd's texts: this member isn't in `--initial-cluster`; a URL twice; nobody
/// answers; the cluster's members aren't those configured; its version is outside of what this
/// member can present. Source: etcdserver.NewServer, first case.
Result<Joining> join_cluster(const Config& config, ClusterInquiry& inquiry);

/// The level of the cluster that `--initial-cluster` names: of its version, or of its oldest server
/// while it has agreed on none that we know. nullopt if nobody answers.
std::optional<CompatLevel> ask_level(const Config& config, ClusterInquiry& inquiry);

/// Errors: `member … has already been bootstrapped`, if the others of `founders` know this member
/// as started: then its data directory is lost or the wrong one.
Result<> check_not_bootstrapped(const Config& config, const std::vector<Member>& founders,
                                ClusterInquiry& inquiry);

/// `m1=http://h1:2380,m2=http://h2:2380`: as etcd prints an initial cluster.
std::string text_of(const InitialCluster& cluster);

}  // namespace truss::server
