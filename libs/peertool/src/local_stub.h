#pragma once

#include <string>
#include <utility>

#include "discard_files.h"
#include "truss/peer/local_member.h"

namespace truss::peertool {

/// What stands behind our peer port: nobody. Versions and snapshots are answered, the rest refused.
/// Thread: any.
class LocalStub final : public peer::LocalMember {
 public:
  /// Before the transport starts.
  void set(peer::Versions versions, std::string members_json) {
    versions_ = std::move(versions);
    members_json_ = std::move(members_json);
  }

  peer::Versions versions() const override { return versions_; }
  std::string members_json() const override { return members_json_; }
  bool is_removed(raft::NodeId) const override { return false; }
  void renew_lease(std::int64_t, Done<std::int64_t> done) override { done(refused()); }
  void lease_time_to_live(std::int64_t, bool, Done<peer::LeaseTimeToLive> done) override {
    done(refused());
  }
  void promote(raft::NodeId, Done<std::string> done) override { done(refused()); }
  void hash_kv(std::int64_t, Done<peer::HashKv> done) override { done(refused()); }
  void downgrade_enabled(Done<bool> done) override { done(false); }
  Result<std::unique_ptr<snap::DbReceiver>> receive_db() override {
    return snap::DbReceiver::create(files_, "discarded");
  }

 private:
  static Unexpected refused() { return fail(Code::kUnavailable, "peerbench holds no data"); }

  peer::Versions versions_;
  std::string members_json_ = "[]";
  DiscardFiles files_;
};

}  // namespace truss::peertool
