#pragma once

#include <memory>

#include "truss/common/clock.h"
#include "truss/peer/link_counts.h"

namespace truss::peer {

/// One snapshot under way; its end is counted once, and as a failure if nobody says how it ended.
///
/// Thread: one at a time.
class SnapshotTally {
 public:
  /// Null `link`: counts nothing.
  SnapshotTally(std::shared_ptr<LinkCounts> link, SnapshotCounts LinkCounts::*way, Clock& clock)
      : link_(std::move(link)), way_(way), clock_(clock), start_(clock.now()) {
    if (link_) ++counts().in_flight;
  }
  SnapshotTally(const SnapshotTally&) = delete;
  SnapshotTally& operator=(const SnapshotTally&) = delete;
  ~SnapshotTally() { end(false); }

  void end(bool delivered) {
    if (!link_) return;
    --counts().in_flight;
    ++(delivered ? counts().successes : counts().failures);
    if (delivered) counts().durations.add(clock_.now() - start_);
    link_.reset();
  }

 private:
  SnapshotCounts& counts() { return (*link_).*way_; }

  std::shared_ptr<LinkCounts> link_;
  SnapshotCounts LinkCounts::*way_;
  Clock& clock_;
  const MonoTime start_;
};

}  // namespace truss::peer
