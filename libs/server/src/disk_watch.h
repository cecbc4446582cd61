#pragma once

#include <deque>

#include "truss/common/clock.h"

namespace truss::server {

/// How long appends have been waiting for the disk of the log. A disk that is merely slow brings
/// them back one by one; a dead one holds the oldest for ever.
///
/// Lives on: raft thread.
class DiskWatch {
 public:
  /// `patience`: how old an append may become before the disk counts as dead.
  explicit DiskWatch(Duration patience) : patience_(patience) {}

  void handed_over(MonoTime now) { since_.push_back(now); }
  /// The oldest has come back.
  void came_back() { since_.pop_front(); }
  /// Age of the oldest append under way; zero if there is none.
  Duration waiting(MonoTime now) const {
    return since_.empty() ? Duration{} : now - since_.front();
  }
  /// Nothing waits.
  bool idle() const { return since_.empty(); }
  bool dead(MonoTime now) const { return waiting(now) > patience_; }

 private:
  const Duration patience_;
  std::deque<MonoTime> since_;  // oldest first
};

}  // namespace truss::server
