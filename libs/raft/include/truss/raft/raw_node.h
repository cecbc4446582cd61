#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "truss/common/error.h"
#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/config.h"
#include "truss/raft/ready.h"
#include "truss/raft/status.h"
#include "truss/raft/storage.h"
#include "truss/raft/types.h"

namespace truss::raft {

/// An input was taken, or why not.
using StepResult = tl::expected<void, Refusal>;

/// A founding member; `context` goes into its AddNode entry (etcd: the member as JSON).
struct Peer {
  NodeId id;
  SharedBytes context;
};

/// One raft voter or learner as a pure state machine: inputs by calls, effects only as Ready.
/// No I/O, clock, thread or hidden randomness; the same inputs give the same outputs.
///
/// Thread: one (the raft thread). Nothing here is durable: see Ready for the order of work.
/// Source: etcd-io/raft RawNode, 3.7.
class RawNode {
 public:
  /// A node from what `storage` holds: its conf state, its hard state, then config.applied.
  /// `storage`, `random` and `log` must outlive it. *Errors:* kInvalidArgument for a config that
  /// cannot work; kCorruption for a hard state whose commit lies outside the log.
  static Result<std::unique_ptr<RawNode>> create(const Config& config, const Storage& storage,
                                                 Random& random, Logger& log);
  ~RawNode();
  RawNode(const RawNode&) = delete;
  RawNode& operator=(const RawNode&) = delete;

  /// Founds a cluster on an empty storage: term 1, one AddNode entry a peer in the given order,
  /// all committed; they come again through Ready to be applied. All members must pass the same
  /// peers. *Errors:* kInvalidArgument without peers; kFailedPrecondition if the storage has
  /// entries.
  Result<> bootstrap(std::span<const Peer> peers);

  /// One unit of logical time.
  void tick();
  /// Starts an election now (or a pre-election); ignored where it may not.
  void campaign();
  /// Appends one entry, if leader, or forwards it. Empty data is allowed.
  StepResult propose(SharedBytes data);
  /// Several entries as one proposal; all or none. Takes the bytes. Not empty.
  StepResult propose(std::span<SharedBytes> data);
  /// Proposes a membership change. One that is refused for its moment (another not yet applied;
  /// joint or not) still succeeds, and becomes an empty normal entry.
  StepResult propose_conf_change(const ConfChange& change);
  StepResult propose_conf_change(const ConfChangeV2& change);
  /// To be called for every committed conf change entry, in order. A change with node id 0 is one
  /// that the owner cancelled: nothing happens. Returns the configuration to be kept with the next
  /// snapshot. *Errors:* kFailedPrecondition, and nothing happened, where etcd panics.
  Result<ConfState> apply_conf_change(const ConfChange& change);
  Result<ConfState> apply_conf_change(const ConfChangeV2& change);

  /// A message from a peer, or from the storage threads in async mode. Takes entries and bytes out
  /// of it; room of its vectors stays with the caller. What no correct peer sends is refused.
  /// Caution: that `from` is who really sent it is the caller's care, above all in async mode,
  /// where the storage threads and this node itself speak through here, too.
  StepResult step(Message&& message);

  /// Whether ready() would have anything.
  bool has_ready() const;
  /// Hands out the work. Sync mode: at most once before advance(). The reference stays valid until
  /// the next ready() (async mode: and until then only).
  Ready& ready();
  /// The work of the last ready() is done. Sync mode only.
  void advance();

  /// The owner could not deliver to `id`: replicate falls back to probing.
  void report_unreachable(NodeId id);
  /// The snapshot to `id` was delivered, or not.
  void report_snapshot(NodeId id, bool delivered);
  /// Asks for leadership to go to `id` (forwarded to the leader by a follower).
  void transfer_leader(NodeId id);
  /// A follower forgets its leader, so that it can grant votes at once; not in lease mode.
  void forget_leader();
  /// A leader or candidate gives up at once: follower of the same term without a leader, no more
  /// heartbeats. Nothing has to reach the disk for it, so it works when the disk is dead. Followers
  /// notice after an election time-out; transfer_leader() first, where there is time, spares them
  /// that. A follower: nothing happens.
  void step_down();
  /// Whether this node may stand for election when its timer or a transfer says so (it may from the
  /// start). For a member that is healthy enough to follow but should not lead. Votes, and a leader
  /// in office, are not touched: see step_down().
  void allow_campaigns(bool allowed);
  /// Whom a leader could hand over to, best first: voters heard from lately, by how much of the log
  /// they have (ids ascending among equals). Empty unless leader.
  std::vector<NodeId> transfer_candidates() const;
  /// The highest index that every member, learners too, is known to have; nullopt unless leader.
  std::optional<Index> known_to_all() const;
  /// What stands in the way of proposing `change` at this moment; kNone if it would go into the
  /// log as it is.
  ConfChangeObstacle obstacle_to(const ConfChangeV2& change) const;
  /// Asks for a read index; the answer comes as a ReadState with the same `context`, or never
  /// (no leader, message loss): ask again, with a context that is unique for ever.
  void read_index(SharedBytes context);

  BasicStatus basic_status() const;
  Status status() const;
  /// The members by id, from the configuration applied.
  ConfState conf_state() const;

  /// For tests: replaces the drawn election time-out, in ticks, until the next reset.
  void set_randomized_election_timeout(std::uint64_t ticks);
  /// Ends the process if an invariant of raft or of this code does not hold.
  void check_invariants() const;

 private:
  struct Impl;
  explicit RawNode(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::raft
