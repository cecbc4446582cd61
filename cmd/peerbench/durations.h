#pragma once

#include <cstdint>
#include <string>

#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::peerbench {

/// `10ms`, `1.5s`, `2m`, `250us`; more than zero, at most a day. Errors: kInvalidArgument.
Result<Duration> parse_duration(const std::string& text);
/// `1GiB`, `64MiB`, `4096`; also `1G`, `64M`. At least 1, at most 1 TiB. Errors: kInvalidArgument.
Result<std::uint64_t> parse_bytes(const std::string& text);

}  // namespace truss::peerbench
