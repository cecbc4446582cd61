#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/duration_counts.h"
#include "truss/common/error.h"
#include "truss/common/executor.h"
#include "truss/common/file_system.h"
#include "truss/common/log.h"
#include "truss/common/process.h"
#include "truss/common/random.h"
#include "truss/lease/lessor.h"
#include "truss/mvcc/store.h"
#include "truss/raft/types.h"
#include "truss/schema/membership.h"
#include "truss/server/config.h"
#include "truss/server/member.h"
#include "truss/server/peer_queries.h"
#include "truss/server/proposal.h"
#include "truss/server/response.h"
#include "truss/server/snapshot_reader.h"
#include "truss/server/transport.h"

namespace truss::snap {
class DbWatcher;
}

namespace truss::server {

/// Everything outside that a member touches. All must outlive it.
struct Environment {
  Runtime& runtime;
  FileSystem& files;
  Random& random;  ///< used by start() and then by the raft thread only
  Logger& logger;
  Process& process;
  Transport& transport;
  PeerQueries& queries = NullPeerQueries::instance();
};

/// The member at one moment, for Status RPCs, /health and metrics.
struct Status {
  raft::NodeId leader;  ///< raft::kNoNode when there is none
  raft::Term term;
  raft::Index committed;
  raft::Index applied;
  bool is_leader = false;
  bool is_learner = false;
  std::string version;          ///< of this server, `3.4.23`
  std::string cluster_version;  ///< `3.4.0`; empty until decided
  std::string storage_version;  ///< `3.6.0`; empty below 3.6 or until the db was written to
  schema::Downgrade downgrade;  ///< as the members agreed
  std::int64_t db_size_bytes = 0;
  std::int64_t db_in_use_bytes = 0;
  std::int64_t quota_bytes = 0;     ///< as in effect: default filled in, negative when off
  std::vector<std::string> errors;  ///< `etcdserver: no leader`, text forms of alarms
};

/// Counters for /metrics; all since start.
struct Counters {
  std::uint64_t proposals_committed = 0;
  std::uint64_t proposals_applied = 0;
  std::uint64_t proposals_pending = 0;
  std::uint64_t proposals_failed = 0;
  std::uint64_t leader_changes = 0;
  std::uint64_t read_indexes_failed = 0;
  std::uint64_t slow_applies = 0;
  std::uint64_t leases_expired = 0;
  std::uint64_t wal_syncs = 0;
  std::uint64_t wal_bytes_written = 0;
  std::uint64_t slow_read_indexes = 0;  ///< rounds without an answer in time
  std::uint64_t late_heartbeats = 0;    ///< sent more than an interval late
  std::uint64_t messages_lost = 0;      ///< of peers: too many waited for the raft thread
  std::uint64_t learners_promoted = 0;  ///< while leading
  bool applying_snapshot = false;
  bool defragmenting = false;
  std::uint64_t open_read_transactions = 0;
  std::uint64_t auth_revision = 0;
  DurationCounts::Sample wal_sync_durations;
  DurationCounts::Sample backend_commit_durations;
  DurationCounts::Sample backend_rebalance_durations;
  DurationCounts::Sample backend_spill_durations;
  DurationCounts::Sample backend_write_durations;
  DurationCounts::Sample backend_defragment_durations;
  DurationCounts::Sample backend_snapshot_durations;
  DurationCounts::Sample backend_hash_durations;
  DurationCounts::Sample snap_encoding_durations;
  DurationCounts::Sample snap_sync_durations;
  DurationCounts::Sample snap_save_durations;
};

enum class DowngradeAction : std::uint8_t { kValidate = 0, kEnable = 1, kCancel = 2 };

/// One node of the cluster: proposes, agrees, makes durable, applies, answers.
///
/// Thread: every method may be called from any thread unless it says otherwise. A callback runs
/// once, on a thread of the server (or inside the call, when the answer is known at once); it must
/// not block and must not call stop(). After stop() all open callbacks have run.
class Server {
 public:
  using ApplyCallback = absl::AnyInvocable<void(Result<ApplyResponse>)>;
  using DoneCallback = absl::AnyInvocable<void(Result<>)>;
  using HashKvCallback = absl::AnyInvocable<void(Result<mvcc::HashKv>)>;
  using HashCallback = absl::AnyInvocable<void(Result<std::uint32_t>)>;
  using TtlCallback = absl::AnyInvocable<void(Result<std::int64_t>)>;
  using VersionCallback = absl::AnyInvocable<void(Result<std::string>)>;
  using LeaseCallback = absl::AnyInvocable<void(Result<lease::LeaseInfo>)>;

  /// Opens or creates the data directory, replays the log and starts the threads. Returns with the
  /// member running, maybe without a leader yet.
  /// Errors: one line naming file, offset and what to do; nothing in the directory was changed when
  /// it is locked, of a newer version, damaged, half made, or needs what this member can't honour.
  /// A member that joins (`--initial-cluster-state existing`, no log yet), and one that founds a
  /// cluster with others, first asks its peers through Environment::queries and waits for them
  /// here: some seconds at most while they don't answer. What answers there must not need the
  /// calling thread.
  /// Durability: a new directory and its first entries are on disk when it returns.
  static Result<std::unique_ptr<Server>> start(Config config, Environment environment);

  /// Without stop() before it the member ends as in a crash: nothing answered is lost, but the next
  /// start replays more. Callbacks that are still open fail with `etcdserver: server stopped`.
  virtual ~Server() = default;
  /// Ends all work: open requests get `etcdserver: server stopped`. Idempotent. Not from a
  /// callback.
  virtual void stop() = 0;

  /// Runs `ready` once the member has published itself, or at once if it has: the moment from
  /// which clients are served.
  virtual void on_ready(absl::AnyInvocable<void()> ready) = 0;
  /// Runs `gone` once if this member turns out to be removed from the cluster for good: a second
  /// after it applied its own removal, or when a peer says so (TransportSink::removed). The owner
  /// then stops the server and ends with exit code 0. On a thread of the server: it must only post.
  virtual void on_removed(absl::AnyInvocable<void()> gone) = 0;
  /// Runs `lost` each time this member has seen no leader at three looks in a row, one election
  /// time-out apart: streams of clients that asked for a leader end then. On a thread of the
  /// server: it must only post. Set once, before clients are served.
  virtual void on_leader_lost(std::function<void()> lost) = 0;

  // --- writing -------------------------------------------------------------------------------

  /// Agrees on one operation, then answers with what applying it gave. `body` is the operation's
  /// own canonical encoding and is copied. A compaction with `physical` set answers when its
  /// deletions are done and committed.
  /// Errors: too_many_requests, request_too_large, no_space, timeouts (after
  /// Config::request_timeout), stopped, and whatever applying it says.
  virtual void propose(Op op, ByteView body, ApplyCallback done) = 0;

  /// As propose of a lease grant; id 0 lets the server pick one.
  virtual void lease_grant(std::int64_t id, std::int64_t ttl_seconds, ApplyCallback done) = 0;
  virtual void lease_revoke(std::int64_t id, ApplyCallback done) = 0;
  /// Renews a lease, on another member through the leader. Answers the TTL in seconds, 0 if there
  /// is no such lease.
  virtual void lease_renew(std::int64_t id, TtlCallback done) = 0;
  /// A lease as the leader sees it, on another member asked from there. With `keys` the keys
  /// attached to it. Errors: lease_not_found, no_leader, timeouts.
  virtual void lease_time_to_live(std::int64_t id, bool keys, LeaseCallback done) = 0;
  /// The same two on behalf of a peer (`POST /leases`, `/leases/internal`): here or not at all.
  /// Errors: kNotFound (404), kDeadlineExceeded (408), anything else 400; the message is the body.
  virtual void lease_renew_for_peer(std::int64_t id, TtlCallback done) = 0;
  virtual void lease_time_to_live_for_peer(std::int64_t id, bool keys, LeaseCallback done) = 0;

  /// Membership changes; the answer's `members` is the list as of applying it.
  virtual void add_member(std::vector<std::string> peer_urls, bool learner, ApplyCallback done) = 0;
  virtual void remove_member(raft::NodeId id, ApplyCallback done) = 0;
  virtual void update_member(raft::NodeId id, std::vector<std::string> peer_urls,
                             ApplyCallback done) = 0;
  /// On another member than the leader it is passed on to the leader; also on behalf of a peer
  /// (`POST /members/promote/<id>`: member_not_found 404, member_not_learner and learner_not_ready
  /// 412, anything else 500).
  virtual void promote_member(raft::NodeId id, ApplyCallback done) = 0;
  virtual void move_leader(raft::NodeId target, DoneCallback done) = 0;

  // --- reading -------------------------------------------------------------------------------

  /// Runs `done` when everything acknowledged before the call has been applied here and this
  /// member's leader was still the leader: the store may then be read. Calls share one round.
  /// Errors: leader_changed, timeout, stopped.
  virtual void linearizable_read_notify(DoneCallback done) = 0;

  /// The revisioned store with its watchers, and the leases. They live as long as the server.
  virtual mvcc::Store& store() = 0;
  virtual lease::Lessor& lessor() = 0;

  virtual raft::NodeId member_id() const = 0;
  virtual ClusterId cluster_id() const = 0;
  virtual CompatLevel level() const = 0;
  virtual const Config& config() const = 0;
  /// Current raft term, for response headers. Cheap.
  virtual raft::Term term() const = 0;
  virtual Status status() const = 0;
  virtual Counters counters() const = 0;
  /// Ascending by id.
  virtual std::shared_ptr<const std::vector<Member>> members() const = 0;
  /// Whether that member was in the cluster and is banned for good.
  virtual bool is_removed(raft::NodeId id) const = 0;
  /// Prepares the cluster for going back to the release before its own: once enabled, the leader
  /// lowers the cluster version, members make their directories fit for the older release, and when
  /// all of them run it the downgrade is over. `version`: `3.5` or `3.5.0`, nothing to cancel.
  /// Answers the cluster version as the level shows it: `3.6.0` up to 3.5, later `3.6`.
  /// Errors: downgrade_version_format, downgrade_no_version, downgrade_target,
  /// downgrade_in_process; up to 3.5 no_downgrade; those of a read and of a proposal.
  virtual void downgrade(DowngradeAction action, const std::string& version,
                         VersionCallback done) = 0;
  /// Answer of `GET /downgrade/enabled`, after a linearizable read. Errors: those of the read.
  virtual void downgrade_enabled(absl::AnyInvocable<void(Result<bool>)> done) = 0;
  /// Ascending by member, then type.
  virtual std::vector<AlarmMember> alarms() const = 0;
  /// A fresh unique request id (etcd's scheme: member id, milliseconds, counter).
  virtual std::uint64_t next_request_id() = 0;

  // --- upkeep --------------------------------------------------------------------------------

  /// Rewrites the database file without holes. Writes wait for it.
  virtual void defragment(DoneCallback done) = 0;
  /// CRC of the whole database but its consistent index.
  virtual void hash(HashCallback done) = 0;
  /// CRC of the history up to `revision` (0: current).
  virtual void hash_kv(std::int64_t revision, HashKvCallback done) = 0;
  /// A copy of everything applied before the call. Waits for a commit of the database.
  /// Thread: any but the server's own and those that must not block.
  virtual Result<std::unique_ptr<SnapshotReader>> open_snapshot() = 0;
  /// Whether this member can go over to the database at `path`, received with a leader's MsgSnap;
  /// asked before the message is given to TransportSink::receive(). An unfit file is removed.
  /// Errors: why not.
  virtual void check_snapshot(raft::Message message, std::string path, DoneCallback done) = 0;
  /// Wants to see a leader's database as it comes in; one for each. May be null.
  virtual std::shared_ptr<snap::DbWatcher> watch_database() { return nullptr; }
};

}  // namespace truss::server
