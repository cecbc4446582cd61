#include "truss/common/error.h"

#include <cerrno>
#include <system_error>

namespace truss {
namespace {

Code code_of_errno(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
      return Code::kNotFound;
    case EEXIST:
      return Code::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return Code::kResourceExhausted;
    case EWOULDBLOCK:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

Unexpected fail_errno(std::string_view what, int sys_errno) {
  std::string message(what);
  message += ": " + std::generic_category().message(sys_errno);
  message += " (errno " + std::to_string(sys_errno) + ")";
  return fail(code_of_errno(sys_errno), std::move(message), sys_errno);
}

std::string_view code_name(Code code) {
  static constexpr std::string_view kNames[] = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  if (code == Code::kCorruption) return "Corruption";
  const auto number = static_cast<std::size_t>(code);
  return number < std::size(kNames) ? kNames[number] : "Unknown";
}

}  // namespace truss
