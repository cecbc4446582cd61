#pragma once

#include <functional>

#include "gap_meter.h"
#include "truss/common/error.h"
#include "truss/common/executor.h"

namespace truss::peertool {

/// What no etcd does, for contrast: heartbeats and snapshots in one stream, each message whole
/// before the next one, between two threads of this process over loopback. Sends a heartbeat every
/// `interval` and one snapshot after the other (a second of rest between two), until `gaps` gaps
/// have been seen or `go_on` says no.
///
/// Blocks. Errors: kUnavailable if the connection fails.
Result<GapMeter> measure_shared_connection(Runtime& runtime, std::uint64_t snapshot_bytes,
                                           Duration interval, std::uint64_t gaps,
                                           const std::function<bool(double done)>& go_on);

}  // namespace truss::peertool
