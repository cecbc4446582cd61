#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "truss/common/clock.h"

namespace truss::peer {

/// After a database that this member can't use, the next ones are turned away at their first bytes,
/// for longer each time: raft would have the whole of it sent again at every heartbeat.
///
/// Thread: any.
class SnapshotRefusals {
 public:
  static constexpr Duration kFirstPause = std::chrono::seconds(1);
  static constexpr Duration kLongestPause = std::chrono::seconds(60);

  void refused(MonoTime now, std::string why) {
    const std::lock_guard lock(mutex_);
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    until_ = now + pause_;
    why_ = std::move(why);
  }
  void accepted() {
    const std::lock_guard lock(mutex_);
    pause_ = Duration{};
    until_ = MonoTime{};
  }
  /// Why none is taken at `now`; nullopt if one is.
  std::optional<std::string> why_not(MonoTime now) const {
    const std::lock_guard lock(mutex_);
    if (now >= until_) return std::nullopt;
    return why_;
  }

 private:
  mutable std::mutex mutex_;  // guards all below
  Duration pause_{};
  MonoTime until_;
  std::string why_;
};

}  // namespace truss::peer
