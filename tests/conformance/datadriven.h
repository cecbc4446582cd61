#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/error.h"

/// Text files of commands and expected answers ("datadriven" files): parsing, running, comparing.
namespace truss::conformance {

/// `key`, `key=value` or `key=(v1, v2)`.
struct Arg {
  std::string key;
  std::vector<std::string> values;
};

struct Case {
  std::string command;
  std::vector<Arg> args;
  std::string input;            ///< lines before `----`, trimmed
  std::string expected;         ///< lines after it
  std::size_t line = 0;         ///< of the command, from 1
  std::size_t answer_line = 0;  ///< first line after `----`
  std::size_t end_line = 0;     ///< one past the last line of the answer

  const Arg* find(std::string_view key) const;
  /// Its only value, or `fallback` if the argument is absent.
  std::string value(std::string_view key, std::string_view fallback = "") const;
};

/// All cases of a file's text. *Errors:* kInvalidArgument with the line.
Result<std::vector<Case>> parse(std::string_view text);

Result<std::uint64_t> parse_number(std::string_view text);
Result<bool> parse_bool(std::string_view text);

/// The answer to one case, or why there is none (an unknown command, a bad argument).
using Handler = std::function<Result<std::string>(const Case&)>;

struct Outcome {
  std::size_t cases = 0;   ///< run, the failed one included
  std::string difference;  ///< empty if all agree; else line, want and got
};

/// Runs the cases in order and stops at the first difference. With `skip_log_lines`, lines of a
/// level word are left out on both sides, and then an empty answer equals `ok`.
/// With `rewritten`, every difference but a handler's error goes there instead: the text with the
/// answers that were given.
Outcome run(std::string_view text, bool skip_log_lines, const Handler& handler,
            std::string* rewritten = nullptr);

}  // namespace truss::conformance
