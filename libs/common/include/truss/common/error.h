#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace truss {

/// What kind of operating error happened: gRPC's canonical codes by their wire numbers, and
/// `kCorruption` for damaged files (it never goes on the wire as such).
enum class Code : int {
  kOk = 0,
  kCanceled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
  kCorruption = 100,
};

/// An operating error as a value. `message` names subject, place and numbers, in one line:
/// `wal 0…2-…15.wal: crc mismatch at offset 4096 (want 1a2b, got 3c4d)`.
struct [[nodiscard]] Error {
  Code code = Code::kUnknown;
  std::string message;
  int sys_errno = 0;  ///< errno of the failed system call, 0 if none

  friend bool operator==(const Error&, const Error&) = default;
};

/// A value or an Error. No exception crosses a library border.
template <class T = void>
using Result = tl::expected<T, Error>;

using Unexpected = tl::unexpected<Error>;

/// Builds the failing side of any Result: `return fail(Code::kNotFound, "no such bucket: x");`
[[nodiscard]] inline Unexpected fail(Code code, std::string message, int sys_errno = 0) {
  return Unexpected(Error{code, std::move(message), sys_errno});
}

/// Passes an Error on, with `context: ` put before its message.
[[nodiscard]] inline Unexpected fail(std::string_view context, Error error) {
  error.message.insert(0, std::string(context) + ": ");
  return Unexpected(std::move(error));
}

/// The errno of a failed system call as an Error: `open /x: Permission denied (errno 13)`.
[[nodiscard]] Unexpected fail_errno(std::string_view what, int sys_errno);

/// Lower-case name of a code as gRPC spells it in Go, e.g. `InvalidArgument`.
std::string_view code_name(Code code);

}  // namespace truss

#define TRUSS_CONCAT_INNER(a, b) a##b
#define TRUSS_CONCAT(a, b) TRUSS_CONCAT_INNER(a, b)

/// `TRUSS_TRY(f());` returns f's error from the enclosing function, if any.
#define TRUSS_TRY(expression)                                           \
  do {                                                                  \
    if (auto truss_result_ = (expression); !truss_result_) [[unlikely]] \
      return ::tl::unexpected(std::move(truss_result_).error());        \
  } while (false)

/// `TRUSS_ASSIGN(auto x, f());` declares or assigns x from f's value, or returns f's error.
#define TRUSS_ASSIGN(target, expression) \
  TRUSS_ASSIGN_INNER(TRUSS_CONCAT(truss_result_, __LINE__), target, expression)
#define TRUSS_ASSIGN_INNER(result, target, expression)  \
  auto result = (expression);                           \
  if (!result) [[unlikely]]                             \
    return ::tl::unexpected(std::move(result).error()); \
  target = *std::move(result)
