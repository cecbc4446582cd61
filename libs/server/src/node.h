#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "alarms.h"
#include "apply_loop.h"
#include "bootstrap.h"
#include "leader_ask.h"
#include "membership.h"
#include "progress.h"
#include "quota.h"
#include "raft_loop.h"
#include "reconfiguration.h"
#include "removal.h"
#include "request_id.h"
#include "scouts.h"
#include "truss/server/server.h"
#include "upkeep.h"
#include "waiters.h"
#include "wal_thread.h"

namespace truss::server {

/// The server: owns every long-lived object of the member, in start order.
class Node final : public Server {
 public:
  Node(Config config, Environment environment);
  ~Node() override;
  Result<> open();

  void stop() override;
  void on_ready(absl::AnyInvocable<void()> ready) override;
  void on_leader_lost(std::function<void()> lost) override;
  void on_removed(absl::AnyInvocable<void()> gone) override {
    removal_.on_removed(std::move(gone));
  }

  void propose(Op op, ByteView body, ApplyCallback done) override;
  void lease_grant(std::int64_t id, std::int64_t ttl_seconds, ApplyCallback done) override;
  void lease_revoke(std::int64_t id, ApplyCallback done) override;
  void lease_renew(std::int64_t id, TtlCallback done) override;
  void lease_time_to_live(std::int64_t id, bool keys, LeaseCallback done) override;
  void lease_renew_for_peer(std::int64_t id, TtlCallback done) override;
  void lease_time_to_live_for_peer(std::int64_t id, bool keys, LeaseCallback done) override;
  void add_member(std::vector<std::string> peer_urls, bool learner, ApplyCallback done) override;
  void remove_member(raft::NodeId id, ApplyCallback done) override;
  void update_member(raft::NodeId id, std::vector<std::string> peer_urls,
                     ApplyCallback done) override;
  void promote_member(raft::NodeId id, ApplyCallback done) override;
  void move_leader(raft::NodeId target, DoneCallback done) override;
  void linearizable_read_notify(DoneCallback done) override;

  mvcc::Store& store() override { return *store_; }
  lease::Lessor& lessor() override { return *lessor_; }
  raft::NodeId member_id() const override { return self_; }
  ClusterId cluster_id() const override { return cluster_; }
  CompatLevel level() const override { return level_; }
  const Config& config() const override { return config_; }
  raft::Term term() const override { return raft::Term(progress_.term.load()); }
  Status status() const override;
  Counters counters() const override;
  std::shared_ptr<const std::vector<Member>> members() const override {
    return membership_.members();
  }
  bool is_removed(raft::NodeId id) const override { return membership_.is_removed(id); }
  void downgrade(DowngradeAction action, const std::string& version, VersionCallback done) override;
  void downgrade_enabled(absl::AnyInvocable<void(Result<bool>)> done) override;
  std::vector<AlarmMember> alarms() const override { return alarms_.list(); }
  std::uint64_t next_request_id() override { return ids_->next(); }

  void defragment(DoneCallback done) override;
  void hash(HashCallback done) override;
  void hash_kv(std::int64_t revision, HashKvCallback done) override;
  Result<std::unique_ptr<SnapshotReader>> open_snapshot() override;
  void check_snapshot(raft::Message message, std::string path, DoneCallback done) override;
  std::shared_ptr<snap::DbWatcher> watch_database() override { return scouts_->watch(); }

 private:
  friend class CorruptionMonitor;
  friend class Publisher;
  friend class Upkeep;
  friend class VersionMonitor;

  Result<> open_store(const Opened& opened);
  Result<> make_loops(Opened opened);
  std::unique_ptr<raft::MemoryStorage> make_log(Opened& opened);
  Result<> make_raft(std::unique_ptr<raft::MemoryStorage> log, raft::Index applied);
  void make_wal_thread(Opened& opened);
  void make_apply_loop(raft::SnapshotMark snapshot);

  /// Sends ready bytes through the log.
  void submit(std::uint64_t id, SharedBytes data, ApplyCallback done);
  bool has_space(Op op, ByteView body) const;
  /// Raises CORRUPT for a member, up to level 3.5 for nobody in particular.
  void raise_corrupt(raft::NodeId member);
  /// Before anything else runs, compares the data with the other members'. Errors: kDataLoss if
  /// they differ; those of reading it.
  Result<> check_first(const Opened& opened, ClusterInquiry& inquiry);
  /// Raises NOSPACE for this member, then runs `done`.
  void raise_no_space(Task done);

  // node_snapshots.cc
  void add_snapshot_hooks(ApplyLoop::Hooks& hooks);
  void save_snapshot(raft::Snapshot snapshot);
  /// Thread: backend.
  void send_snapshots(std::vector<raft::Message> messages);
  Result<> send_snapshot(raft::Message& message);
  void look_over(raft::Message message);
  Result<> check_received(const raft::Snapshot& snapshot, const std::string& path);
  void install(raft::Index index, Task done);
  void replace_peers(const std::vector<Member>& before);

  /// As the leader. Errors: also mvcc's lease_not_found and not_primary_lessor.
  void renew_here(std::int64_t id, TtlCallback done);
  void finish_renewal(std::int64_t id, TtlCallback done);
  bool surely_leads() const;
  /// Errors: lease_not_found, not_primary_lessor.
  void look_up(std::int64_t id, bool keys, LeaseCallback done);
  void change_members(raft::ConfChange change, ApplyCallback done);
  Reconfiguration reconfiguration() const;
  void promote_here(raft::NodeId id, ApplyCallback done);
  Result<> check_learner(raft::NodeId id);
  /// This member is no longer one: tells its owner in a while.
  void leave(const std::string& why, Duration after);
  void mark_ready();
  std::vector<Member> other_members() const;
  /// For a question to a peer that isn't urgent: as long as a peer may take to be dialled.
  Duration poll_timeout() const { return std::chrono::seconds(1) + config_.election_timeout; }
  /// A leader that stops hands over to the voter that has been connected longest.
  void hand_over();
  Error timeout_error(MonoTime since) const;
  bool stayed_connected(raft::NodeId leader, MonoTime since) const;
  std::string storage_version() const;
  /// Errors: downgrade_no_version, downgrade_target, downgrade_in_process, no_downgrade.
  Result<> check_downgrade(DowngradeAction action, const Version& target) const;
  /// Tells all members that the cluster goes back to `target`, or with an empty one that it stays.
  void set_downgrade(const std::string& target, ApplyCallback done);

  Config config_;
  const Environment env_;
  Progress progress_;
  Waiters waiters_;
  Membership membership_;
  Alarms alarms_;
  Removal removal_;
  const std::shared_ptr<Scouts> scouts_ = std::make_shared<Scouts>();
  raft::NodeId self_;
  ClusterId cluster_;
  CompatLevel level_ = kDefaultLevel;
  std::unique_ptr<RequestIds> ids_;
  std::unique_ptr<LeaderDesk> desk_;

  std::unique_ptr<Executor> raft_executor_;
  std::unique_ptr<Executor> wal_executor_;
  std::unique_ptr<Executor> wal_allocator_;
  std::unique_ptr<Executor> apply_executor_;
  std::unique_ptr<Executor> backend_executor_;
  std::unique_ptr<Executor> watch_executor_;
  std::unique_ptr<Executor> upkeep_executor_;
  std::unique_ptr<Executor> maintenance_executor_;
  std::unique_ptr<Executor> snapshot_executor_;

  std::unique_ptr<mvcc::Backend> backend_;
  std::unique_ptr<lease::Lessor> lessor_;
  std::unique_ptr<mvcc::Store> store_;
  std::unique_ptr<Quota> quota_;
  std::unique_ptr<WalThread> wal_;
  std::unique_ptr<ApplyLoop> apply_;
  std::unique_ptr<RaftLoop> raft_;
  std::unique_ptr<Upkeep> upkeep_;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> raising_no_space_{false};
  std::atomic<std::uint64_t> older_root_{0};  // consistent index of the db's older root
  std::uint64_t newer_root_ = 0;              // backend thread

  std::mutex stop_mutex_;  // one stop at a time
  bool stopped_ = false;

  std::mutex ready_mutex_;
  bool ready_ = false;
  std::vector<absl::AnyInvocable<void()>> when_ready_;
};

}  // namespace truss::server
