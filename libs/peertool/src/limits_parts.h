#pragma once

#include <cstdint>

#include "truss/common/executor.h"
#include "truss/peertool/report.h"

namespace truss::peertool {

/// msgappv2 through MsgAppWriter and MsgAppReader.
void measure_codec(Clock& clock, Duration each, LimitsReport& out);

enum class PlainCopy : std::uint8_t {
  kSendfile,  ///< from a file in memory
  kSend,      ///< of the same 256 KiB again and again
};
/// Over loopback, to a receiver that takes the bytes and forgets them, each end on a thread. Bytes
/// a second. Errors: I/O.
Result<double> plain_copy_rate(Runtime& runtime, PlainCopy how, std::uint64_t bytes);

}  // namespace truss::peertool
