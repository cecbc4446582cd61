#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>

#include "sweep_result.h"

namespace truss::testing {

/// The proof of a sweep: with a promise taken away it must fail. Sweeps seed after seed, at most
/// `seeds`, until one does. Injectors (lies of the disk) have state: one per seed.
/// Returns: whether one failed.
template <class Workload>
bool sweep_notices(SweepResult (*sweep)(const Workload&), Workload workload, std::uint64_t seeds,
                   const std::function<SimInjector()>& make_injector = {}) {
  for (workload.seed = 1; workload.seed <= seeds; ++workload.seed) {
    if (make_injector) workload.injector = make_injector();
    const SweepResult result = sweep(workload);
    if (result.failures == 0) continue;
    MESSAGE("noticed at crash ", result.crashes, " of seed ", workload.seed, ": ",
            result.report.substr(0, result.report.find('\n')));
    return true;
  }
  return false;
}

}  // namespace truss::testing
