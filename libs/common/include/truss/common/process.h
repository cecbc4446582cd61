#pragma once

#include <string_view>

namespace truss {

/// Ends the process (or, in the simulator, the one member) when going on would endanger data: a
/// failed write or fsync of WAL or bolt, a broken promise of a file.
class Process {
 public:
  virtual ~Process() = default;
  /// Never returns. The simulator's version throws its own private type to unwind the member.
  [[noreturn]] virtual void fatal(std::string_view why) = 0;
};

/// Prints `fatal: WHY` on stderr and exits with code 1, without running destructors.
class SystemProcess final : public Process {
 public:
  [[noreturn]] void fatal(std::string_view why) override;
};

}  // namespace truss
