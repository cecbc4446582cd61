#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "truss/common/error.h"

namespace truss::member {

/// Arguments read by the rules of Go's flag package.
struct GoArgs {
  std::vector<std::pair<std::string, std::string>> flags;  ///< name and value, in order
  std::vector<std::string> rest;                           ///< from the first non-flag on
  bool help = false;                                       ///< -h or -help, not otherwise defined
};

/// What the reader must know of a flag's name.
enum class FlagKind { kUnknown, kBool, kValue };

/// Reads `-x`, `--x`, `--x=v`, `--x v`. A boolean takes a value after `=` only; `--` or the first
/// word without a dash ends the flags.
/// Errors: kInvalidArgument with Go's text: `flag provided but not defined: -x`, `flag needs an
/// argument: -x`, `bad flag syntax: ---x`.
Result<GoArgs> read_go_args(const std::vector<std::string>& words,
                            const std::function<FlagKind(std::string_view)>& kind_of);

/// As strconv.ParseBool: 1, t, T, TRUE, true, True and their opposites.
Result<bool> parse_go_bool(std::string_view text);
/// As strconv.ParseInt(text, 0, 64): decimal, 0x, 0o, 0b, leading 0 as octal, underscores.
Result<std::int64_t> parse_go_int(std::string_view text);
Result<std::uint64_t> parse_go_uint(std::string_view text);
/// As time.ParseDuration: `1h30m`, `1.5s`, `100ms`, `-2us`, `0`. Nanoseconds.
Result<std::int64_t> parse_go_duration(std::string_view text);

}  // namespace truss::member
