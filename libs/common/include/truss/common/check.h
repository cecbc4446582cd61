#pragma once

#include <string_view>

namespace truss {

/// Prints `check failed: EXPRESSION: MESSAGE (FILE:LINE)` on stderr and aborts.
[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               std::string_view message = {});

}  // namespace truss

/// A broken invariant ends the process, in every build. Optional second argument: a message.
#define TRUSS_CHECK(condition, ...)                                                     \
  do {                                                                                  \
    if (!(condition)) [[unlikely]]                                                      \
      ::truss::check_failed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
