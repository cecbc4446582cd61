#include "truss/common/testing/sweep.h"

#include <doctest/doctest.h>

#include "truss/common/testing/sim_runtime.h"

using namespace truss;
using namespace truss::testing;

// A toy store with a known-good order of syncs: the sweeps must pass it, and fail it without one.
namespace {

constexpr OpenOptions kCreateEmpty{.write = true, .create = true, .truncate = true};

/// Replaces /d/value by a temporary file and a rename.
Result<> save(SimFileSystem& fs, int value) {
  {
    TRUSS_ASSIGN(const auto file, fs.open("/d/value.tmp", kCreateEmpty));
    TRUSS_TRY(file->pwrite(std::string(1500, 'p') + std::to_string(value), 0));
    TRUSS_TRY(file->sync());
  }
  TRUSS_TRY(fs.rename("/d/value.tmp", "/d/value"));
  return fs.sync_dir("/d");
}

Result<int> load(SimFileSystem& fs) {
  if (!exists(fs, "/d/value")) return 0;
  TRUSS_ASSIGN(const std::string text, read_file(fs, "/d/value"));
  if (text.size() < 1501) return fail(Code::kCorruption, "short value");
  if (text.substr(0, 1500) != std::string(1500, 'p')) return fail(Code::kCorruption, "torn value");
  return std::stoi(text.substr(1500));
}

struct Swept {
  std::uint64_t crashes;
  std::uint64_t failures;
  std::string report;
};

/// Sweeps 20 saves; operations that `skip` matches lie.
Swept sweep_saves(const std::function<bool(const SimOp&)>& skip = {}) {
  SimFileSystem fs;
  REQUIRE(fs.make_dir("/d").has_value());
  REQUIRE(fs.sync_dir("/").has_value());
  if (skip) fs.inject(skip_matching(skip));
  int acknowledged = 0;
  CrashSweep sweep({.seed = 5, .copies_per_point = 7}, [&](SimFileSystem& disk) -> Verdict {
    const auto value = load(disk);
    if (!value) return value.error().message;
    if (*value < acknowledged) return "lost " + std::to_string(acknowledged);
    if (*value > acknowledged + 1) return "invented " + std::to_string(*value);
    return {};
  });
  sweep.attach(fs);
  for (int i = 1; i <= 20; ++i) {
    REQUIRE(save(fs, i).has_value());
    acknowledged = i;
  }
  sweep.crash_now(fs);
  return {sweep.crashes(), sweep.failures(), sweep.report()};
}

}  // namespace

TEST_CASE("a crash sweep judges every point and passes a correct order of syncs") {
  const Swept swept = sweep_saves();
  CHECK_MESSAGE(swept.failures == 0, swept.report);
  CHECK(swept.crashes == (20 * 5 + 1) * 7);  // create, write, fsync, rename, fsync-dir
}

TEST_CASE("a crash sweep fails when a sync is taken away, and says where") {
  const Swept data = sweep_saves([](const SimOp& op) { return op.kind == OpKind::kSync; });
  CHECK(data.failures > 0);
  const Swept dir = sweep_saves([](const SimOp& op) { return op.kind == OpKind::kSyncDir; });
  CHECK(dir.failures > 0);
  CHECK(dir.report.find("lost") != std::string::npos);
  CHECK(dir.report.find("last operations:\n") != std::string::npos);
  CHECK(dir.report.find("rename /d/value.tmp -> /d/value") != std::string::npos);
}

TEST_CASE("a fault sweep fails each call in turn") {
  FaultSweep faults;
  faults.make_disk = [] {
    auto fs = std::make_unique<SimFileSystem>();
    REQUIRE(fs->make_dir("/d").has_value());
    REQUIRE(save(*fs, 1).has_value());
    return fs;
  };
  int saved = 1;
  faults.run = [&](SimFileSystem& fs) -> Verdict {
    saved = save(fs, 2) ? 2 : 1;
    return {};
  };
  faults.check = [&](SimFileSystem& fs) -> Verdict {
    const auto value = load(fs);
    if (!value) return value.error().message;
    return *value >= saved ? "" : "lost " + std::to_string(saved);
  };
  const auto outcome = faults.sweep();
  CHECK(outcome.calls == 5);
  CHECK(outcome.runs == 10);
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);

  faults.run = [&](SimFileSystem& fs) -> Verdict {
    static_cast<void>(save(fs, 2));
    saved = 2;  // acknowledged whatever happened
    return {};
  };
  CHECK(faults.sweep().failures > 0);
}

TEST_CASE("a member that dies of a fault has coped") {
  SimProcess process;
  FaultSweep faults;
  faults.run = [&](SimFileSystem& fs) -> Verdict {
    if (auto made = fs.make_dir("/d"); !made) process.fatal(made.error().message);
    return {};
  };
  CHECK(faults.sweep().failures == 0);
}
