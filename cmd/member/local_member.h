#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "truss/common/file_system.h"
#include "truss/peer/local_member.h"
#include "truss/server/server.h"

namespace truss::member {

/// What the peer port asks of the server. Until attach() there is no server, and everything fails
/// with kUnavailable. Thread: any.
class LocalMember final : public peer::LocalMember {
 public:
  /// \param snap_dir  where databases of received snapshots go
  LocalMember(FileSystem& files, std::string snap_dir)
      : files_(files), snap_dir_(std::move(snap_dir)) {}

  /// `server` must outlive the peer port.
  void attach(server::Server& server) { server_ = &server; }

  peer::Versions versions() const override;
  std::string members_json() const override;
  bool is_removed(raft::NodeId id) const override;
  void renew_lease(std::int64_t id, Done<std::int64_t> done) override;
  void lease_time_to_live(std::int64_t id, bool keys, Done<peer::LeaseTimeToLive> done) override;
  void promote(raft::NodeId id, Done<std::string> done) override;
  void hash_kv(std::int64_t revision, Done<peer::HashKv> done) override;
  void downgrade_enabled(Done<bool> done) override;
  Result<std::unique_ptr<snap::DbReceiver>> receive_db() override;
  void check_snapshot(const raft::Message& message, const std::string& path,
                      Done<void> done) override;

 private:
  FileSystem& files_;
  const std::string snap_dir_;
  std::atomic<server::Server*> server_{nullptr};
};

}  // namespace truss::member
