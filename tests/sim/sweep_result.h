#pragma once

#include <cstdint>
#include <string>

#include "truss/common/testing/sweep.h"

namespace truss::testing {

/// What one swept workload gave.
struct SweepResult {
  std::uint64_t points = 0;
  std::uint64_t crashes = 0;
  std::uint64_t failures = 0;
  std::string report;

  SweepResult& operator+=(const SweepResult& more) {
    points += more.points;
    crashes += more.crashes;
    failures += more.failures;
    if (report.empty()) report = more.report;
    return *this;
  }
  static SweepResult of(const CrashSweep& sweep) {
    return {sweep.points(), sweep.crashes(), sweep.failures(), sweep.report()};
  }
};

}  // namespace truss::testing
