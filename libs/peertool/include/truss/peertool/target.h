#pragma once

#include <string>

#include "truss/peertool/channels.h"
#include "truss/peertool/report.h"

namespace truss::peertool {

struct TargetOptions {
  std::string url{};  ///< a peer or client URL, `http://10.0.0.1:2380`
  double per_second = 50;
  Duration duration = std::chrono::seconds(5);
  Duration timeout = std::chrono::seconds(2);
};

/// What can be learned of a live member without disturbing it: GET of /raft/probing, /version,
/// /members and /metrics, and TCP connections. The channels are named, with the reason why each
/// was not driven.
/// Errors: kInvalidArgument for the URL, kUnavailable if nothing answers there.
Result<Report> measure_target(Runtime& runtime, const TargetOptions& options, const Tick& tick);

}  // namespace truss::peertool
