#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "truss/peertool/report.h"
#include "truss/peertool/rig.h"

namespace truss::peertool {

/// Told about five times a second how far a measurement is (0 to 1); false stops it.
using Tick = std::function<bool(double done)>;

struct ChannelsOptions {
  double per_second = 1000;  ///< messages and appends; the pipeline gets at most a tenth of it
  Duration warm_up = std::chrono::seconds(1);
  Duration duration = std::chrono::seconds(5);
  Duration saturation = std::chrono::seconds(2);  ///< of the test for the most; 0: none
  std::uint64_t append_bytes = 256;               ///< of one entry's payload
  std::uint64_t snapshot_bytes = 256u << 20;
  std::uint64_t snapshots = 4;
};

/// Drives the four channels of a rig, one after the other. Stopped early, the report holds what was
/// measured until then. Errors: kUnavailable if nothing at all came back on a channel.
Result<Report> measure_channels(Rig& rig, const ChannelsOptions& options, const Tick& tick);

}  // namespace truss::peertool
