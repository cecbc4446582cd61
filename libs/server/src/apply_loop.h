#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "alarms.h"
#include "log_request.h"
#include "membership.h"
#include "progress.h"
#include "quota.h"
#include "raft_loop.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/common/process.h"
#include "truss/lease/lessor.h"
#include "truss/mvcc/backend.h"
#include "truss/mvcc/store.h"
#include "waiters.h"

namespace truss::server {

/// Applies committed entries in order: to the store, the leases, the alarms and the membership, and
/// answers who waits for them. All changes of one entry go into one bolt transaction, with its
/// consistent index.
///
/// Entries at or below the db's consistent index (a replay after a restart) change the membership
/// in memory only: the db has them.
///
/// A snapshot received from the leader comes in the same order; a newer one behind it takes its
/// place. While its database is being opened, or a batch is being committed for a snapshot to be
/// sent, nothing else is applied.
///
/// Full-behaviour: waits while the backend has no room; raft's quota of handed-out bytes bounds
/// what queues up meanwhile.
/// Lives on: apply executor; submit() may be called from any thread.
class ApplyLoop {
 public:
  static constexpr std::size_t kMaxSends = 16;

  struct Hooks {
    /// To raft, in log order; node id 0 if refused.
    std::function<void(raft::ConfChange)> conf_changed;
    std::function<void(raft::Index, std::vector<raft::Message>)> applied;
    /// The membership as of `snapshot.metadata.index` is ready to be saved.
    std::function<void(raft::Snapshot snapshot)> snapshot_due;
    /// A received snapshot, durable in the log, is to become the state: puts its database in the
    /// place of the present one, then runs `done` on any thread.
    std::function<void(raft::Index index, Task done)> install;
    /// A received snapshot has become the state; `before` were the members.
    std::function<void(const raft::Snapshot& snapshot, const std::vector<Member>& before)>
        installed;
    /// The messages' snapshots are filled in; the database as it is in bolt now belongs to them. On
    /// the backend thread.
    std::function<void(std::vector<raft::Message> messages)> send_snapshots;
    /// This snapshot can't be sent now. On the apply thread.
    std::function<void(raft::NodeId peer)> snapshot_dropped;
    /// The quota was passed while applying: a NOSPACE alarm should be raised.
    std::function<void()> out_of_space;
    /// This member applied the first entry of a term that it leads.
    std::function<void()> leads;
    /// This member was removed from the cluster.
    std::function<void()> removed;
    /// The transport must know of this peer's coming, going or new URLs.
    std::function<void(const Member& peer, raft::ConfChangeType change)> peer_changed;
  };
  struct Parts {
    Executor& executor;
    Clock& clock;
    Logger& logger;
    Process& process;
    Progress& progress;
    Waiters& waiters;
    mvcc::Backend& backend;
    mvcc::Store& store;
    lease::Lessor& lessor;
    Membership& membership;
    Alarms& alarms;
    const Quota& quota;
    CompatLevel level;
    raft::NodeId self;
    raft::SnapshotMark snapshot;  ///< of the newest `.snap`; entries after it come
    std::uint64_t snapshot_count;
  };
  ApplyLoop(Parts parts, Hooks hooks);

  void submit(ApplyJob job);
  /// Takes a MsgSnap of raft, to be sent with a snapshot of the state as it is when its turn comes.
  /// False, and nothing taken, if kMaxSends wait already. Thread: any.
  bool send_snapshot(raft::Message message);

 private:
  using Answer = Result<ApplyResponse>;

  void turn();
  void go_on();
  void schedule();
  /// Nothing is applied until resume().
  void pause() { paused_ = true; }
  void resume();  // any thread
  void apply_job(ApplyJob& job);
  void apply_entry(const raft::Entry& entry);
  void enter_fresh(const raft::Entry& entry);
  void apply_normal(const raft::Entry& entry, bool fresh);
  void apply_conf_change(const raft::Entry& entry);
  void note_peer(const raft::ConfChange& change, const MemberContext& context);
  void apply_legacy(const LegacyRequest& request);
  void check_snapshot();
  void store_versions();

  // apply_snapshot.cc
  raft::Snapshot present_snapshot() const;
  void serve_sends();
  void put_back(std::vector<raft::Message> sends);
  void begin_install(raft::Snapshot snapshot);
  void finish_install(const raft::Snapshot& snapshot);
  Result<> load_installed(const raft::Snapshot& snapshot);

  Answer execute(const LogRequest& request);
  Answer execute(const mvcc::PutRequest& request);
  Answer execute(const mvcc::DeleteRangeRequest& request);
  Answer execute(const mvcc::TxnRequest& request);
  Answer execute(const LeaseGrantRequest& request);
  Answer execute(const LeaseRevokeRequest& request);
  Answer execute(const LeaseCheckpointRequest& request);
  Answer execute(const AlarmRequest& request);
  void compact(std::uint64_t id, const CompactionRequest& request);
  void set_version(const std::string& version);
  void set_downgrade(const schema::Downgrade& info);
  void note_lower_version(const Version& before, const Version& now);
  Answer answer() const { return ApplyResponse{p_.store.current_revision(), {}}; }
  /// Fails under the alarms that forbid a change; `grows`: it may make the db larger.
  Result<> check_alarms(bool grows) const;
  Answer settle(Answer answer, bool fits);
  /// An error of the store that the log can't explain: this member's data is damaged.
  void check_damage(const Error& error) const;
  [[noreturn]] void diverged(const raft::Entry& entry, const std::string& why) const;

  const Parts p_;
  const Hooks hooks_;
  raft::Index applied_;
  raft::Term term_;  // of the last entry applied
  raft::Index snapshot_index_;
  bool attached_ = false;     // the membership writes to bolt
  bool legacy_seen_ = false;  // a v2 request lies in the log after the snapshot
  bool lowered_ = false;      // the cluster version went down: a snapshot should say so
  bool paused_ = false;

  std::mutex mutex_;  // guards the mailbox below
  std::deque<ApplyJob> jobs_;
  std::vector<raft::Message> sends_;
  bool scheduled_ = false;
};

}  // namespace truss::server
