#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "truss/raft/types.h"

namespace truss::raft {

/// MsgApp under way to one peer, each known by the index of its last entry. Bounded by a count and,
/// softly, by payload bytes: the message that crosses the byte limit still goes.
/// Source: etcd-io/raft tracker.Inflights.
class Inflights {
 public:
  /// At most `max_messages`; `max_bytes` 0 means no byte limit.
  Inflights(std::uint64_t max_messages, std::uint64_t max_bytes)
      : max_messages_(max_messages), max_bytes_(max_bytes) {}

  /// Caution: not to be called when full().
  void add(Index last, std::uint64_t bytes);
  /// Forgets every message whose last index is at or below `index`.
  void free_through(Index index);
  void clear();
  std::size_t count() const { return count_; }
  std::uint64_t bytes() const { return bytes_; }
  bool full() const { return count_ == max_messages_ || (max_bytes_ != 0 && bytes_ >= max_bytes_); }

 private:
  struct Slot {
    Index last;
    std::uint64_t bytes = 0;
  };
  void grow();

  std::uint64_t max_messages_;
  std::uint64_t max_bytes_;
  std::vector<Slot> ring_;  // a power of two of slots, grown on demand
  std::size_t head_ = 0;
  std::size_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

enum class ProgressState : std::uint8_t {
  kProbe,      ///< match point unknown: one message with entries at a time
  kReplicate,  ///< messages are pipelined through the window
  kSnapshot,   ///< a snapshot is on its way: nothing else is sent
};

/// What the leader knows about one peer's log, and all transitions of that knowledge.
///
///      1 ... match ... next-1 | next ...
///      \____ there ___/ \ maybe / \_ not sent
///
/// Invariant: match < next.
/// Source: etcd-io/raft tracker.Progress.
class Progress {
 public:
  Progress(NodeId peer, Index first_to_send, const Inflights& window)
      : id(peer), next(first_to_send), inflights(window) {}

  NodeId id;
  Index match;                 ///< highest index known to be in the peer's log
  Index next;                  ///< first index to send
  Index sent_commit;           ///< highest commit index that the peer may have been told
  Index pending_snapshot;      ///< index of the snapshot on its way (kSnapshot)
  std::uint64_t read_ack = 0;  ///< newest read position that the peer confirmed
  ProgressState state = ProgressState::kProbe;
  std::uint64_t silent_ticks = 0;  ///< since the last answer or the begin of the term
  bool recent_active = false;      ///< heard from since the last quorum check
  bool flow_paused = false;        ///< nothing more until an answer
  bool learner = false;
  Inflights inflights;

  /// Whether no MsgApp may go now.
  bool paused() const { return state == ProgressState::kSnapshot || flow_paused; }
  /// Whether the window has no room for entries; an empty MsgApp may still go.
  bool window_full() const { return state == ProgressState::kReplicate && inflights.full(); }
  /// Whether telling `committed` could raise what the peer commits.
  bool can_bump_commit(Index committed) const {
    return committed > sent_commit && sent_commit < next - 1;
  }

  /// A new leader term: everything but id and learner is forgotten.
  void reset(Index last);
  /// The leader itself.
  void become_self();
  /// The peer answered.
  void heard() {
    recent_active = true;
    silent_ticks = 0;
  }

  /// A MsgApp with `entries` entries of `bytes` payload and `commit` left.
  void on_sent(std::size_t entries, std::uint64_t bytes, Index commit);
  void on_heartbeat_sent(Index commit) { sent_commit = commit; }
  /// A snapshot at `index` left.
  void on_snapshot_sent(Index index);

  /// The peer has everything up to `index`; the leader's log starts at `first_index`.
  /// Returns whether that was news, so that commit and sending should be looked at again.
  bool on_ack(Index index, Index first_index);
  /// The peer refused entries after `rejected` and suggests `hint`.
  /// Returns whether to send again at once (false: a stale answer).
  bool on_reject(Index rejected, Index hint);
  void on_heartbeat_response();
  void on_unreachable();
  /// A snapshot was delivered or not; either way the peer is asked only after its next answer.
  void on_snapshot_status(bool delivered);

 private:
  void enter(ProgressState to);
  void become_probe();
  void become_replicate();
};

}  // namespace truss::raft
