#pragma once

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

  /// One at `index` or later sets out.
  void began(raft::NodeId peer, raft::Index index) { sends_[peer] = {index, std::nullopt}; }
  void ended(raft::NodeId peer, bool delivered, MonoTime now) {
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
  std::map<raft::NodeId, Send> sends_;
};

}  // namespace truss::server
