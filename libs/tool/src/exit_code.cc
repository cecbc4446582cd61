#include "truss/tool/exit_code.h"

namespace truss::tool {

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case Code::kOk:
      return kFine;
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return kUsage;
    case Code::kCorruption:
    case Code::kDataLoss:
      return kCorruptInput;
    case Code::kFailedPrecondition:
    case Code::kAlreadyExists:
    case Code::kUnavailable:
      return kRefused;
    case Code::kCanceled:
      return kInterrupted;
    default:
      return kIo;
  }
}

}  // namespace truss::tool
