#pragma once

#include <cstdint>

#include "truss/peertool/channels.h"
#include "truss/peertool/report.h"

namespace truss::peertool {

struct LimitsOptions {
  Duration each = std::chrono::milliseconds(500);  ///< of one measurement of the codec
  std::uint64_t transfer_bytes = 1u << 30;
  std::size_t transfers = 3;  ///< of each kind, alternating; the quickest counts
};

/// Whether the tool itself could be the bottleneck: its codec of the msgapp stream on one
/// processor, and its snapshot channel beside a plain copy of as many bytes over loopback TCP.
/// The plain copy is the quicker of sendfile and send. Errors: kCanceled if told to stop; I/O.
Result<Report> measure_limits(Runtime& runtime, const LimitsOptions& options, const Tick& tick);

}  // namespace truss::peertool
