#pragma once

#include <iosfwd>
#include <string_view>

#include "truss/common/error.h"

namespace truss::tool {

/// Where a tool talks: data to `out`, everything else to `err`. Tests hand in string streams.
/// *Thread:* one.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool out_is_tty = false;
  bool err_is_tty = false;
  bool color = false;  ///< escape sequences on `out` are welcome: a tty, and no NO_COLOR
};

/// Standard output and standard error.
Console system_console();

/// Prints `PROGRAM: MESSAGE` on `err` and returns the exit code for the error.
int report_error(Console& console, std::string_view program, const Error& error);

/// While it lives, SIGINT and SIGTERM set a flag instead of ending the process: for commands that
/// must put something right before they end. One at a time.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;
  bool raised() const;
};

}  // namespace truss::tool
