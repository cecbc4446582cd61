#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "truss/mvcc/backend.h"
#include "truss/schema/membership.h"
#include "truss/server/config.h"
#include "truss/server/member.h"
#include "truss/snap/v2_store.h"

namespace truss::server {

/// Who is in the cluster, who was, and what version it agreed on: the state that membership entries
/// of the log build, kept in bolt (`members`, `members_removed`, `cluster`) and, at each snapshot,
/// in the v2-store document, always in step.
///
/// Thread: apply; the functions marked *any* take a lock.
class Membership {
 public:
  explicit Membership(std::uint32_t max_learners) : max_learners_(max_learners) { publish(); }

  /// Before the first change.
  void limit_learners(std::uint32_t most) { max_learners_ = std::min(max_learners_, most); }
  /// Starts from a snapshot's document. Writes nothing.
  void load(const snap::V2Membership& document);
  /// Reads what only bolt keeps: whether the cluster is being downgraded. Errors: kCorruption.
  Result<> recover(mvcc::Backend& backend);
  /// Of a cluster that this member joins: shown as the members until the log brings them.
  void show(std::vector<Member> fetched);
  /// From now on changes go to `backend` too; what differs there is corrected at once (a directory
  /// restored by 3.4 keeps its old members in bolt).
  Result<> attach(mvcc::Backend& backend);

  /// Whether a change is allowed. Errors: member_not_found (removed ids too), member_exists,
  /// peer_url_exists, member_not_learner, too_many_learners.
  /// Source: membership.ValidateConfigurationChange.
  Result<> check(const raft::ConfChange& change, const MemberContext& context) const;
  /// Takes a change that passed check().
  void apply(const raft::ConfChange& change, const MemberContext& context);
  /// Name and client URLs as a member published them; an unknown member is ignored.
  void set_attributes(raft::NodeId id, const PublishedAttributes& attributes);
  void set_version(const std::string& version);
  void set_downgrade(const schema::Downgrade& info);

  /// Writes what bolt holds already once more, so that its next commit carries the consistent index
  /// even if nothing else has changed.
  void touch();

  raft::ConfState conf_state() const;
  snap::V2Membership document() const;

  /// Ascending by id. Thread: any.
  std::shared_ptr<const std::vector<Member>> members() const;
  /// `3.4.0`; empty until decided. Thread: any.
  std::string version() const;
  /// To which version the cluster is to go back, if it is. Thread: any.
  schema::Downgrade downgrade() const;
  /// Thread: any.
  bool is_removed(raft::NodeId id) const;

 private:
  void store(const Member& member);
  void forget(raft::NodeId id);
  void publish();

  std::uint32_t max_learners_;
  mvcc::Backend* backend_ = nullptr;
  std::map<raft::NodeId, Member> members_;
  std::set<raft::NodeId> removed_;
  std::string version_;
  schema::Downgrade downgrade_;

  mutable std::mutex mutex_;  // the copies below, for other threads
  std::shared_ptr<const std::vector<Member>> published_;
  std::set<raft::NodeId> published_removed_;
  std::string published_version_;
  schema::Downgrade published_downgrade_;
};

}  // namespace truss::server
