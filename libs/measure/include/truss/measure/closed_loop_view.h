#pragma once

#include "truss/common/clock.h"
#include "truss/measure/histogram.h"

namespace truss::measure {

/// What a closed-loop client would have told about the same answers: it has one request under way,
/// so it never starts the ones that fall due while it waits, and a stall costs it one sample. To be
/// shown beside the open-loop figure, as the error that it is ("coordinated omission").
///
/// Thread: one.
class ClosedLoopView {
 public:
  /// An operation that was due at `due` was answered at `answered`; in order of `answered`.
  void add(MonoTime due, MonoTime answered);
  const Histogram& latency() const { return latency_; }

 private:
  MonoTime free_at_{Duration::min()};
  Histogram latency_;
};

}  // namespace truss::measure
