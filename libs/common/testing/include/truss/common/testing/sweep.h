#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/testing/sim_file_system.h"

/// Crash at every point, fail at every call.
namespace truss::testing {

/// What a check found wrong; empty if nothing.
using Verdict = std::string;

/// Crashes a running workload at each of its write and sync points without stopping it: before the
/// point takes effect a crashed copy of the disk is made and judged, then the workload goes on.
///
///   CrashSweep sweep({.seed = 1}, [&](SimFileSystem& disk) { return reopen_and_compare(disk); });
///   sweep.attach(fs);
///   run_workload(fs);
///   sweep.crash_now(fs);  // the state after the last operation
///   CHECK_MESSAGE(sweep.failures() == 0, sweep.report());
class CrashSweep {
 public:
  struct Options {
    std::uint64_t seed = 1;
    unsigned copies_per_point = 2;  ///< crashed disks judged at each point
    std::uint64_t stride = 1;       ///< judge each stride-th point
    std::uint64_t stop_after_failures = 1;
  };
  /// Judges one crashed disk; it may open, write and crash it again.
  using Check = std::function<Verdict(SimFileSystem& disk)>;

  CrashSweep(Options options, Check check);
  /// Observes `fs` from now on. The sweep must outlive it or be detached.
  void attach(SimFileSystem& fs);
  static void detach(SimFileSystem& fs) { fs.observe({}); }
  /// Judges crashes at this very moment.
  void crash_now(SimFileSystem& fs);

  std::uint64_t crashes() const { return crashes_; }
  std::uint64_t points() const { return points_; }
  std::uint64_t failures() const { return failures_; }
  /// The first failure: point, style, seed, verdict and the operations before it.
  const std::string& report() const { return report_; }

 private:
  void judge(SimFileSystem& fs, const std::string& where);
  void note_failure(SimFileSystem& fs, const std::string& where, std::string_view style,
                    const Verdict& verdict);

  Options options_;
  Check check_;
  SeededRandom random_;
  std::uint64_t points_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t failures_ = 0;
  std::string report_;
};

/// Fails each call of a workload in turn with each errno.
struct FaultSweep {
  std::vector<int> errnos;   ///< empty: EIO, ENOSPC
  std::uint64_t stride = 1;  ///< fail each stride-th call
  std::uint64_t seed = 1;    ///< of short effects
  /// A fresh disk; empty: an empty one.
  std::function<std::unique_ptr<SimFileSystem>()> make_disk;
  /// Runs on a disk one of whose calls will fail. It must cope (values, or SimDeath, which is
  /// caught) and says what is wrong, if anything.
  std::function<Verdict(SimFileSystem& disk)> run;
  /// Judges the disk afterwards, hooks cleared; may crash it. Optional.
  std::function<Verdict(SimFileSystem& disk)> check;

  struct Outcome {
    std::uint64_t calls = 0;  ///< of the undisturbed run
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
    std::string report;  ///< the first failure
  };
  Outcome sweep() const;
};

}  // namespace truss::testing
