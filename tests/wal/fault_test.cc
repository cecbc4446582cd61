#include <doctest/doctest.h>

#include "test_log.h"
#include "truss/common/testing/sweep.h"

using namespace truss;
using namespace truss::wal;
using testing::SimFileSystem;
using testing::Verdict;

// Each call of the file system fails in turn: a value or the end of the process, never a lost
// entry.
namespace {

constexpr const char* kDir = "/data/wal";

struct Run {
  std::uint64_t acknowledged = 0;

  Options options() const {
    Options out;
    out.segment_bytes = 2048;
    return out;
  }

  /// Creates or reopens a log and saves some entries; cuts on the way.
  Result<> work(SimFileSystem& disk, Process& process) {
    std::unique_ptr<Wal> wal;
    if (has_wal(disk, kDir)) {
      TRUSS_ASSIGN(auto opened, open_and_read(disk, process, kDir, {}, options()));
      wal = std::move(opened.wal);
    } else {
      TRUSS_ASSIGN(wal, Wal::create(disk, process, kDir, "meta", options()));
    }
    for (std::uint64_t i = wal->last_index().value() + 1; i <= 12; ++i) {
      wal->save(hard_state(1, 1, i - 1), std::vector{entry(1, i, std::string(400, 'x'))});
      acknowledged = i;
    }
    wal->save_snapshot(mark(12, 1), nullptr);
    wal->close();
    return {};
  }
};

/// Entries before the first damage.
std::uint64_t intact_entries(SimFileSystem& disk) {
  const auto names = list_segments(disk, kDir).value();
  std::vector<std::unique_ptr<File>> files;
  std::vector<SegmentSource> sources;
  for (const SegmentName& name : names) {
    files.push_back(disk.open(join_path(kDir, name.file_name()), {}).value());
    sources.push_back({name.file_name(), files.back().get()});
  }
  LogReader reader(sources);
  Record record;
  std::uint64_t entries = 0;
  while (reader.next(record).value_or(false)) {
    entries += record.type == RecordType::kEntry ? 1 : 0;
  }
  return entries;
}

}  // namespace

TEST_CASE("any call may fail: what was acknowledged is still there, after a crash too") {
  Run run;
  testing::FaultSweep faults;
  faults.make_disk = [&] {
    run = {};
    auto disk = std::make_unique<SimFileSystem>();
    REQUIRE(disk->make_dir("/data").has_value());
    REQUIRE(disk->sync_dir("/").has_value());
    return disk;
  };
  faults.run = [&](SimFileSystem& disk) -> Verdict {
    testing::SimProcess process;
    static_cast<void>(run.work(disk, process));  // an error value is an answer
    return {};
  };
  std::uint64_t seed = 0;
  faults.check = [&](SimFileSystem& disk) -> Verdict {
    SeededRandom random(++seed);
    disk.crash(random);
    testing::SimProcess process;
    if (!has_wal(disk, kDir)) return run.acknowledged == 0 ? "" : "the log is gone";
    const auto opened = open_and_read(disk, process, kDir, {}, run.options());
    const std::uint64_t found = opened ? opened->contents.entries.size() : intact_entries(disk);
    // A write that failed in the middle of a sector is refused, not guessed about, as etcd does.
    if (!opened && opened.error().message.find("crc mismatch") == std::string::npos) {
      return opened.error().message;
    }
    return found >= run.acknowledged ? "" : "lost " + std::to_string(run.acknowledged - found);
  };
  const auto outcome = faults.sweep();
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  CHECK(outcome.runs > 100);
}
