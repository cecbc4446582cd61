#pragma once

#include "truss/common/error.h"

namespace truss::tool {

/// How every tool ends. Verdict codes of `walctl fsck` (10 to 13) stand beside these.
enum ExitCode : int {
  kFine = 0,
  kFoundWrong = 1,  ///< a check found something wrong
  kUsage = 2,
  kIo = 3,
  kCorruptInput = 4,
  kRefused = 5,  ///< needs a flag, or somebody else to let go
  kInterrupted = 130,
};

/// The code for an operating error: kInvalidArgument is usage; kCorruption and kDataLoss corrupt
/// input; kFailedPrecondition, kAlreadyExists and kUnavailable (a lock) refused; kCanceled
/// interrupted; all else I/O.
ExitCode exit_code_of(const Error& error);

}  // namespace truss::tool
