#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "disk_watch.h"
#include "progress.h"
#include "read_index.h"
#include "snapshot_sends.h"
#include "truss/common/executor.h"
#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/raw_node.h"
#include "truss/server/transport.h"
#include "waiters.h"
#include "wal_thread.h"

namespace truss::server {

/// Committed entries on their way to the apply thread, with what raft wants to hear back; or a
/// snapshot of the leader, durable in the log, to be taken over.
struct ApplyJob {
  std::vector<raft::Entry> entries;
  std::vector<raft::Message> responses;
  raft::Snapshot snapshot{};  ///< empty: none
};

/// The consensus loop. Each turn takes everything that has come in, as one batch, feeds it to the
/// raft core, and passes on what the core wants done: messages to the peers and appends to the WAL
/// thread at the same time, committed entries to the apply thread.
///
/// A turn is short and waits for nothing, so what the other threads of a put's way bring
/// (proposals, messages of peers, durable appends, applied entries) is taken by them, when their
/// own turn ends, if the loop sleeps.
///
/// Full-behaviour of its mailbox: proposals beyond kMaxQueuedBytes are refused; messages of peers
/// beyond kMaxQueuedMessages, or their payload beyond kMaxQueuedBytes, are dropped and counted:
/// raft sends again.
/// Lives on: raft executor; functions marked *any* may be called from any thread that holds no
/// lock.
class RaftLoop final : public TransportSink {
 public:
  static constexpr std::size_t kMaxQueuedBytes = 256U << 20;
  static constexpr std::size_t kMaxQueuedMessages = 16384;  ///< etcd: 4096 a peer
  static constexpr int kTicksOfGap = 3;  ///< more between two ticks, and this member slept

  struct Hooks {
    std::function<void(WalThread::Job)> append;
    /// A state of which only the commit index moved; nothing waits for it.
    std::function<void(const raft::HardState&)> note_state;
    std::function<void(ApplyJob)> apply;
    /// Leader or role changed. On the raft thread; `elected`: there is a new leader.
    std::function<void(bool is_leader, bool elected)> leadership;
    /// raft wants this peer to get a snapshot. False: not now, the message is dropped.
    std::function<bool(raft::Message)> send_snapshot;
    /// A snapshot came in: to be looked over, then given to step_snapshot(). On a thread of the
    /// transport.
    std::function<void(raft::Message)> snapshot_came;
    /// A peer says that this member was removed. On a thread of the transport.
    std::function<void()> removed;
  };
  /// How much of the log stays in memory for followers that lag.
  struct Retention {
    std::uint64_t keep;   ///< entries before the newest snapshot
    std::uint64_t every;  ///< a snapshot in memory each so many applied entries
    /// A leader forgets no entry by them that a member may still need; as etcd before 3.6, where
    /// only saved snapshots let the log be forgotten.
    bool wait_for_all;
  };
  struct Parts {
    Executor& executor;
    Clock& clock;
    Logger& logger;
    Random& random;
    Transport& transport;
    Progress& progress;
    Waiters& waiters;
    std::unique_ptr<raft::MemoryStorage> storage;
    raft::Config config;
    Duration tick;
    Duration election_timeout;
    Duration request_timeout;
    std::uint64_t first_read_context;
    bool advance_first_election;  ///< skip most of the first election time-out at once
    Retention retention;
  };
  /// Errors: those of raft::RawNode::create.
  static Result<std::unique_ptr<RaftLoop>> create(Parts parts, Hooks hooks);

  /// Starts ticking. Thread: any, once.
  void start();
  /// Takes no more, finishes what is queued, fails what waits. After its executor has stopped.
  void shut();

  /// Queues an entry's bytes. False, and nothing queued, if the mailbox is full. Thread: any.
  bool propose(std::uint64_t id, SharedBytes data);
  /// Queues a membership change, its id in it. Thread: any.
  void propose(raft::ConfChange change);
  /// Thread: any.
  void read(ReadIndexRounds::Callback done);
  /// Durable work of the WAL thread. Thread: any.
  void appended(std::vector<WalThread::Job> jobs);
  /// Entries up to `index` have been applied. Thread: any.
  void applied(raft::Index index, std::vector<raft::Message> responses);
  /// A conf change entry was applied; node id 0 if it was refused. In log order, before the
  /// applied() that covers it. Thread: any.
  void apply_conf_change(raft::ConfChange change);
  /// A snapshot of this member is on disk: entries well before it may be forgotten. Thread: any.
  void snapshot_saved(raft::Snapshot snapshot);
  /// A received snapshot whose database is on disk and fit. Thread: any.
  void step_snapshot(raft::Message message);
  /// Hands leadership to `target`; `done` when that one leads, with leader_changed if another does,
  /// or after the request timeout.
  /// Thread: any.
  void transfer_leader(raft::NodeId target, ReadIndexRounds::Callback done);
  /// Lets all but two ticks of an election time-out pass, unless there is a leader. Thread: any.
  void advance_election();
  /// Looks at the core. Thread: raft.
  raft::RawNode& node() { return *node_; }
  /// Runs `task` on the raft thread in order with the functions above. Thread: any.
  void run(Task task);

  void receive(raft::Message message) override;
  void receive_all(std::vector<raft::Message> messages) override;
  void report_unreachable(raft::NodeId peer) override;
  void report_snapshot(raft::NodeId peer, bool delivered) override;
  void removed() override { hooks_.removed(); }

 private:
  struct Proposal {
    std::uint64_t id;
    SharedBytes data;
  };
  struct Inbox {
    std::vector<Task> tasks;
    std::vector<raft::Message> messages;
    std::vector<Proposal> proposals;
    std::vector<ReadIndexRounds::Callback> reads;
    std::size_t message_bytes = 0;    // payload
    std::uint64_t messages_lost = 0;  // there was no room
  };
  struct Transfer {
    raft::NodeId from;
    raft::NodeId target;
    MonoTime since;
    ReadIndexRounds::Callback done;
  };

  RaftLoop(Parts parts, Hooks hooks);

  // raft_inbox.cc
  /// Whether a thread on a put's way waits for the loop, or more is likely to come first.
  enum class Hurry : std::uint8_t { kNo, kYes };
  /// False, and nothing put, once shut.
  template <class Add>
  bool put(Add add, Hurry hurry = Hurry::kNo);
  static void queue(Inbox& in, raft::Message message);
  void schedule(Hurry hurry);

  void take_appended(std::vector<WalThread::Job> jobs);
  void take_applied(raft::Index index, std::vector<raft::Message> responses);
  void turn();
  void tick();
  void note_tick(MonoTime now);
  void step(raft::Message message);
  void note_lost(std::uint64_t messages);
  void propose_queued(std::vector<Proposal> fresh);
  void propose_batch(std::span<Proposal> batch);
  bool may_change_members() const;
  void propose_change(raft::ConfChange change);
  void propose_parked_changes();
  void pump();
  void handle(raft::Ready& ready);
  void dispatch(raft::MessageList& messages);
  void note_append();
  bool is_durable(const WalThread::Job& job) const;
  void settle(WalThread::Job& job);
  void note_heartbeat(raft::NodeId to);
  void note_soft_state(const raft::SoftState& state);
  void send_back(std::vector<raft::Message> responses);
  void step_own(std::vector<raft::Message>& responses);
  void send(std::vector<raft::Message> messages);
  void stand_if_alone();
  void note_alone();
  bool sole_voter() const;
  void check_transfers(bool give_up_all = false);

  // raft_disk.cc
  void check_disk(MonoTime now);
  void note_disk(bool dead, MonoTime now);
  void give_up_lead(MonoTime now);

  // raft_snapshots.cc
  void divert_snapshot(raft::Message message);
  void note_memory_snapshot();
  void compact_log();

  Executor& executor_;
  Clock& clock_;
  Logger& logger_;
  Transport& transport_;
  Progress& progress_;
  Waiters& waiters_;
  const raft::NodeId self_;
  const Duration tick_;
  const std::uint64_t election_ticks_;
  const Duration request_timeout_;
  const Hooks hooks_;
  std::unique_ptr<raft::MemoryStorage> storage_;
  std::unique_ptr<raft::RawNode> node_;
  ReadIndexRounds reads_;

  raft::SoftState soft_;
  std::map<raft::NodeId, MonoTime> heartbeats_;  // the last one sent to each, while leading
  raft::ConfState conf_;
  raft::Index replayed_;         // committed at start: conf changes up to here may be missing
  raft::Index applied_;          // as the apply thread reported
  raft::Index first_own_;        // first entry of the term that this member leads
  std::deque<Proposal> parked_;  // no leader yet
  std::vector<raft::ConfChange> parked_changes_;  // likewise, or one not settled yet
  std::vector<Transfer> transfers_;
  MonoTime next_tick_;

  const Duration election_timeout_;
  DiskWatch disk_;  // of the log
  bool disk_dead_ = false;
  std::optional<MonoTime> handing_over_since_;

  const Retention retention_;
  SnapshotSends snapshot_sends_;
  raft::Index compact_to_;       // what snapshots allow to forget
  raft::Index memory_snapshot_;  // index of the newest snapshot made, saved or not

  /// No append is under way: nothing to gather a batch behind. For other threads.
  std::atomic<bool> quiet_{true};
  std::mutex mutex_;  // guards the mailbox below
  Inbox inbox_;
  std::size_t queued_bytes_ = 0;
  bool scheduled_ = false;
  bool shut_ = false;
};

}  // namespace truss::server
