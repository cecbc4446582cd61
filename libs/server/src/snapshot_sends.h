#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "truss/common/clock.h"
#include "truss/raft/types.h"

namespace truss::server {

/// Snapshots on their way to peers: the log behind them must stay while they travel and a while
/// after, or each peer that has one would need the next.
/// Source: etcdserver/server.go, sendMergedSnap and releaseDelayAfterSnapshot.
///
/// Lives on: raft thread.
class SnapshotSends {
 public:
  static constexpr Duration kLinger = std::chrono::seconds(30);

  /// Tries further apart than this don't count as tries of the same thing.
  static constexpr Duration kForget = std::chrono::seconds(60);

  /// Raft asks again at every heartbeat: one that failed, or arrived and did no good, is sent again
  /// at once, then after pauses of one, two, four and eight seconds.
  bool may_begin(raft::NodeId peer, MonoTime now) const {
    const auto it = tries_.find(peer);
    return it == tries_.end() || now >= it->second.next;
  }
  /// One at `index` or later sets out.
  void began(raft::NodeId peer, raft::Index index) { sends_[peer] = {index, std::nullopt}; }
  void ended(raft::NodeId peer, bool delivered, MonoTime now) {
    note_try(tries_[peer], now);
    const auto it = sends_.find(peer);
    if (it == sends_.end()) return;
    if (delivered) {
      it->second.gone_at = now + kLinger;
    } else {
      sends_.erase(it);
    }
  }
  /// Entries above the index must stay; nullopt if none must.
  std::optional<raft::Index> floor(MonoTime now) {
    std::erase_if(sends_, [now](const auto& s) {
      return s.second.gone_at.has_value() && *s.second.gone_at <= now;
    });
    std::optional<raft::Index> lowest;
    for (const auto& [peer, send] : sends_)
      lowest = std::min(lowest.value_or(send.index), send.index);
    return lowest;
  }

 private:
  struct Send {
    raft::Index index;
    std::optional<MonoTime> gone_at;  // nullopt: it travels
  };
  struct Tries {
    int in_a_row = 0;
    MonoTime last;  // its end
    MonoTime next;  // not before
  };

  static void note_try(Tries& tries, MonoTime now) {
    if (tries.in_a_row > 0 && now - tries.last > kForget) tries.in_a_row = 0;
    tries.last = tries.next = now;
    constexpr int kDoublings = 3;
    const int doublings = std::min(tries.in_a_row++ - 1, kDoublings);
    if (doublings >= 0) tries.next += std::chrono::seconds(1 << doublings);
  }

  std::map<raft::NodeId, Send> sends_;
  std::map<raft::NodeId, Tries> tries_;
};

}  // namespace truss::server
