#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "truss/raft/membership.h"
#include "truss/raft/quorum.h"

namespace truss::raft {

/// Answers to one round of vote requests; the first answer of a voter stands.
class Tally {
 public:
  void record(NodeId voter, bool granted);
  /// Whether `voter` answered, and what.
  const bool* find(NodeId voter) const;

 private:
  std::vector<std::pair<NodeId, bool>> answers_;
};

/// The present membership, and every question that is answered by a quorum of it.
/// Source: etcd-io/raft tracker.ProgressTracker.
class Tracker {
 public:
  explicit Tracker(const Inflights& window) : window_(window) {}

  const Membership& membership() const { return now_; }
  const ConfState& config() const { return now_.config; }
  const Inflights& window() const { return window_; }
  std::span<Progress> peers() { return now_.peers; }
  std::span<const Progress> peers() const { return now_.peers; }
  Progress* find(NodeId id) { return now_.find(id); }
  const Progress* find(NodeId id) const { return now_.find(id); }

  void switch_to(Membership next);

  bool is_only_voter(NodeId id) const {
    return outgoing_.empty() && incoming_.size() == 1 && now_.config.voters.front() == id;
  }
  bool is_voter(NodeId id) const;
  /// The highest index that a quorum acknowledged.
  Index committed() const;
  /// The highest read position that a quorum confirmed.
  std::uint64_t read_confirmed() const;
  /// Whether a quorum was heard from since the last mark_inactive().
  bool quorum_active() const;
  /// Whether a quorum answered less than `ticks` ticks ago.
  bool quorum_heard_within(std::uint64_t ticks) const;
  /// Marks all but `self` as not heard from.
  void mark_inactive(NodeId self);
  VoteResult result(const Tally& tally) const;

 private:
  /// Positions in now_.peers of the voters of one half.
  using Half = std::vector<std::uint32_t>;
  Half locate(const std::vector<NodeId>& voters) const;
  template <class Get>
  std::uint64_t half_position(const Half& half, Get get) const;
  template <class Get>
  std::uint64_t joint_position(Get get) const;
  template <class Answer>
  VoteResult half_vote(const Half& half, Answer answer) const;

  Inflights window_;  // copied for new members
  Membership now_;
  Half incoming_;
  Half outgoing_;
};

}  // namespace truss::raft
