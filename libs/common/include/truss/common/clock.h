#pragma once

#include <chrono>

namespace truss {

using Duration = std::chrono::nanoseconds;

/// Monotonic time since an arbitrary start; never goes back.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// Civil time, for logs, certificates and ids only: correctness never rests on it.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// Source of time. Thread: any.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime now() const = 0;
  virtual WallTime wall() const = 0;
};

/// The kernel's clocks.
class SystemClock final : public Clock {
 public:
  MonoTime now() const override;
  WallTime wall() const override;
};

}  // namespace truss
