#include "truss/common/testing/sweep.h"

#include <cerrno>
#include <cstring>

#include "truss/common/testing/sim_runtime.h"

namespace truss::testing {
namespace {

constexpr CrashStyle kSweptStyles[] = {
    CrashStyle::kLoseAll,  CrashStyle::kRandom,     CrashStyle::kCut,       CrashStyle::kKeepAll,
    CrashStyle::kReversed, CrashStyle::kMostlyLost, CrashStyle::kMostlyKept};

/// What run or check says about a disk; a fatal end is a legal way to cope.
Verdict judge_disk(const std::function<Verdict(SimFileSystem&)>& body, SimFileSystem& disk) {
  if (!body) return {};
  try {
    return body(disk);
  } catch (const SimDeath&) {
    return {};
  }
}

}  // namespace

CrashSweep::CrashSweep(Options options, Check check)
    : options_(options), check_(std::move(check)), random_(options.seed) {}

void CrashSweep::attach(SimFileSystem& fs) {
  fs.observe([this, &fs](const SimOp& op) {
    if (points_++ % options_.stride != 0) return;
    if (failures_ >= options_.stop_after_failures) return;
    judge(fs, "before " + op.label());
  });
}

void CrashSweep::crash_now(SimFileSystem& fs) { judge(fs, "at the end"); }

void CrashSweep::judge(SimFileSystem& fs, const std::string& where) {
  for (unsigned i = 0; i < options_.copies_per_point; ++i) {
    const CrashStyle style = kSweptStyles[crashes_++ % std::size(kSweptStyles)];
    const auto disk = fs.crashed(random_, style);
    Verdict verdict;
    try {
      verdict = check_(*disk);
    } catch (const SimDeath& death) {
      verdict = "fatal: " + death.why;
    }
    if (!verdict.empty()) note_failure(fs, where, style_name(style), verdict);
  }
}

void CrashSweep::note_failure(SimFileSystem& fs, const std::string& where, std::string_view style,
                              const Verdict& verdict) {
  if (failures_++ > 0) return;
  report_ = "crash " + std::to_string(crashes_) + " (" + std::string(style) + ", seed " +
            std::to_string(options_.seed) + ") " + where + ": " + verdict + "\nlast operations:\n" +
            fs.log();
}

FaultSweep::Outcome FaultSweep::sweep() const {
  Outcome out;
  auto fresh = [&] { return make_disk ? make_disk() : std::make_unique<SimFileSystem>(); };
  const auto calm = fresh();
  const std::uint64_t before = calm->calls();
  if (Verdict verdict = judge_disk(run, *calm); !verdict.empty()) {
    return {0, 1, 1, "undisturbed run: " + verdict};
  }
  out.calls = calm->calls() - before;
  SeededRandom random(seed);
  const std::vector<int> kinds = errnos.empty() ? std::vector<int>{EIO, ENOSPC} : errnos;
  for (std::uint64_t n = 1; n <= out.calls; n += stride) {
    for (const int sys_errno : kinds) {
      const auto disk = fresh();
      disk->fail_call(disk->calls() + n, SimFault::error(sys_errno, random.below(4096)));
      Verdict verdict = judge_disk(run, *disk);
      disk->inject({});
      if (verdict.empty()) verdict = judge_disk(check, *disk);
      ++out.runs;
      if (verdict.empty() || out.failures++ > 0) continue;
      out.report = "call " + std::to_string(n) + " fails with " + std::strerror(sys_errno) + ": " +
                   verdict + "\nlast operations:\n" + disk->log();
    }
  }
  return out;
}

}  // namespace truss::testing
