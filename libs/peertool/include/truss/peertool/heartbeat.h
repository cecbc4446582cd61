#pragma once

#include <cstdint>

#include "truss/peertool/channels.h"
#include "truss/peertool/report.h"
#include "truss/peertool/rig.h"

namespace truss::peertool {

struct HeartbeatOptions {
  std::uint64_t snapshot_bytes = 1u << 30;
  Duration interval = std::chrono::milliseconds(10);
  std::uint64_t least_gaps = 2000;  ///< the transfer is repeated until there are so many
  bool one_connection = true;       ///< also tries what happens when both share one
  /// What a follower waits before it stands for election: a gap of this length is an outage.
  Duration election_timeout = std::chrono::seconds(1);
};

/// Gaps between heartbeats while snapshots are on their way, and without. With a rig that measures
/// round trips a gap lies between two answers.
///
/// Verdict, for an interval i: `unaffected` if 99.9 % of the gaps are below 2 i, or not above those
/// without a snapshot by more than i/2; `at risk` if the longest reaches the election time-out;
/// `unknown` if stopped before there were enough gaps; else `delayed`.
/// Errors: kUnavailable if heartbeats or snapshots don't get through.
Result<Report> measure_heartbeats(Rig& rig, Runtime& runtime, const HeartbeatOptions& options,
                                  const Tick& tick);

/// The report's distributions as a picture, one curve each over a logarithmic axis.
std::string svg(const Report& report);

}  // namespace truss::peertool
