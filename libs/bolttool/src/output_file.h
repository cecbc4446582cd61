#pragma once

#include <functional>
#include <optional>
#include <string>

#include "commands.h"
#include "truss/bolttool/replace.h"

namespace truss::bolttool {

/// Where a command that writes puts its result: `--to FILE`, or `--in-place`.
struct OutputFile {
  std::string to;
  bool in_place = false;
  bool discard = false;  ///< with in_place: don't keep the original
  bool dry_run = false;
  bool force = false;  ///< with to: replace a file that is there

  void add_to(tool::Command& command);
};

/// Runs `write(source, file, path)` with the source locked against writers and the temporary file
/// of the result, then moves that to its name. In place the original is kept as FILE.original
/// unless told otherwise.
/// Errors: kFailedPrecondition without --to or --in-place, or if the result's name is taken;
/// kUnavailable if somebody uses the file.
struct Written {
  std::string path;      ///< the result
  std::string original;  ///< where the old file went to, "" if nowhere
};
Result<Written> write_output(
    Environment& env, const std::string& source, const OutputFile& out,
    const std::function<Result<>(const std::string& path, Replacement& result)>& write);

}  // namespace truss::bolttool
