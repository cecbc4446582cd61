#pragma once

#include "truss/peertool/doctor.h"

/// Each ends early when told to, with what it has seen.
namespace truss::peertool {

/// Appends of 2 KiB and fdatasync, a hundred a second, to a preallocated file without a name in
/// `dir`, as a WAL does it. Blocks. Errors: kNotFound, I/O, kResourceExhausted.
Result<DiskFindings> probe_disk(Clock& clock, const std::string& dir, Duration duration,
                                const Tick& tick = {});

/// Spins a little, sleeps a little, and sees how much of either it was given. Blocks.
ProcessorFindings probe_processor(Clock& clock, Duration duration, const Tick& tick = {});

/// GET /raft/probing, twenty a second to each peer. Blocks.
std::vector<PeerFindings> probe_peers(Runtime& runtime, const std::vector<std::string>& urls,
                                      Duration duration, Duration timeout, const Tick& tick = {});

}  // namespace truss::peertool
