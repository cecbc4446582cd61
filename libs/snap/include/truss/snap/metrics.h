#pragma once

#include "truss/common/duration_counts.h"

namespace truss::snap {

/// What saving `.snap` files took, for /metrics. Thread: any.
struct SnapMetrics {
  DurationCounts encodings;
  DurationCounts syncs;  ///< write and sync of the file
  DurationCounts saves;  ///< everything
};

}  // namespace truss::snap
