#pragma once

#include <cstdint>

#include "truss/common/executor.h"
#include "truss/peertool/report.h"

namespace truss::peertool {

/// msgappv2 through MsgAppWriter and MsgAppReader.
void measure_codec(Clock& clock, Duration each, LimitsReport& out);

/// sendfile from a file in memory to a socket, and a receiver that takes the bytes and forgets
/// them, each on a thread. Bytes a second. Errors: I/O.
Result<double> plain_copy_rate(Runtime& runtime, std::uint64_t bytes);

}  // namespace truss::peertool
