#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "truss/raft/types.h"

namespace truss::raft {

enum class Role : std::uint8_t { kFollower, kCandidate, kLeader, kPreCandidate };

/// What need not be durable.
struct SoftState {
  NodeId leader;  ///< kNoNode if unknown
  Role role = Role::kFollower;

  friend bool operator==(const SoftState&, const SoftState&) = default;
};

/// The answer to read_index(context): a read of a state applied up to `index` is linearizable.
struct ReadState {
  Index index;
  SharedBytes context;

  friend bool operator==(const ReadState&, const ReadState&) = default;
};

/// A list of messages that keeps its slots, with the room of their inner vectors, for use after
/// clear(). A message stays where it is until then.
/// Invariant: slots past the end are as Message{}.
class MessageList {
  using Slots = std::vector<std::unique_ptr<Message>>;

 public:
  template <class M>
  class Iterator {
   public:
    using value_type = Message;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(const std::unique_ptr<Message>* at) : at_(at) {}
    M& operator*() const { return **at_; }
    M* operator->() const { return at_->get(); }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    const std::unique_ptr<Message>* at_ = nullptr;
  };

  Iterator<Message> begin() { return Iterator<Message>(slots_.data()); }
  Iterator<Message> end() { return Iterator<Message>(slots_.data() + size_); }
  Iterator<const Message> begin() const { return Iterator<const Message>(slots_.data()); }
  Iterator<const Message> end() const { return Iterator<const Message>(slots_.data() + size_); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Message& operator[](std::size_t i) { return *slots_[i]; }
  const Message& operator[](std::size_t i) const { return *slots_[i]; }

  /// A fresh message at the end, all fields as in Message{}.
  Message& add();
  /// Takes message `i` of `from` to the end; a fresh one is left in its place.
  void take(MessageList& from, std::size_t i);
  void drop_last();
  void clear();
  friend void swap(MessageList& a, MessageList& b) noexcept {
    std::swap(a.slots_, b.slots_);
    std::swap(a.size_, b.size_);
  }

 private:
  Slots slots_;
  std::size_t size_ = 0;
};

/// Work for the owner of a RawNode. Order for a node in sync mode:
/// 1. store `hard_state`, `entries` and `snapshot` (with fsync if `must_sync`) and put the entries
///    into Storage; `messages[0, send_at_once)` may leave before or meanwhile;
/// 2. send the other `messages`;
/// 3. apply `snapshot`, then `committed_entries` (conf changes through apply_conf_change);
/// 4. RawNode::advance().
/// In async mode the same work is in `messages`, addressed to kLocalAppendThread and
/// kLocalApplyThread; their `responses` are sent (or stepped, if to this node) when the work is
/// done, and advance() is not called. A kVote (the request) in `messages` has to wait, too, until
/// the append work of its Ready is done: hold it with the `responses`. A snapshot may overtake
/// entries that wait to be applied: entries at or below an applied snapshot are to be skipped.
///
/// It may be moved out of or read in place; in place costs no heap traffic.
/// Source: etcd-io/raft Ready.
struct Ready {
  std::optional<SoftState> soft_state;  ///< only when changed
  std::optional<HardState> hard_state;  ///< only when changed
  std::vector<ReadState> read_states;
  std::vector<Entry> entries;  ///< to be stored before the messages after `send_at_once` leave
  Snapshot snapshot;           ///< to be stored and applied, if not empty()
  std::vector<Entry> committed_entries;  ///< to be applied
  MessageList messages;
  std::size_t send_at_once = 0;  ///< how many messages do not wait for durability (sync mode)
  bool must_sync = false;        ///< hard state and entries need an fsync

  bool contains_updates() const {
    return soft_state || hard_state || !read_states.empty() || !entries.empty() ||
           !snapshot.empty() || !committed_entries.empty() || !messages.empty();
  }
};

}  // namespace truss::raft
