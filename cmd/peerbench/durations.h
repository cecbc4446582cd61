#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::peerbench {

/// `10ms`, `1.5s`, `2m`, `250us`; more than zero, at most a day. Errors: kInvalidArgument.
Result<Duration> parse_duration(const std::string& text);
/// `1GiB`, `64MiB`, `4096`; also `1G`, `64M`. At least 1, at most 1 TiB. Errors: kInvalidArgument.
Result<std::uint64_t> parse_bytes(const std::string& text);

/// Messages a second, 0.1 to 1000000. Errors: kInvalidArgument.
Result<double> parse_rate(const std::string& text);

/// A number from `least` to `most`. Errors: kInvalidArgument.
struct Bounds {
  std::uint64_t least;
  std::uint64_t most;
};
Result<std::uint64_t> parse_count(const std::string& text, Bounds bounds);

/// `http://HOST:PORT`; slashes at its end are taken off. Errors: kInvalidArgument.
Result<std::string> parse_url(const std::string& text);
/// At least one, separated by commas. Errors: kInvalidArgument.
Result<std::vector<std::string>> parse_urls(const std::string& text);

}  // namespace truss::peerbench
