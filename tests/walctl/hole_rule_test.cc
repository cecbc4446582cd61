#include <doctest/doctest.h>

#include <algorithm>

#include "corpus.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/wal/maintenance.h"

// The rule that tells a torn tail from damage (docs/decisions/0007), tried on logs as etcd's writer
// makes them: what a power failure may leave of the last save must never be called damage; sectors
// and lengths damaged in what had been synced should be.

using namespace truss;
using namespace truss::walctl_test;

namespace {

constexpr std::uint64_t kSector = 512;

ModelLog some_log(std::uint64_t seed) {
  return make_log(seed, {.batches = 10 + seed % 20,
                         .segment_bytes = 1 << 20,
                         .last_bytes = 32768,
                         .snapshot_every = seed % 3 == 0 ? 10U : 0U,
                         .new_term = 0.1,
                         .idle_states = 0.4});
}

/// What the rule of the library and walctl's evidence say of one segment.
struct Found {
  bool library = false;
  bool walctl = false;
};
Found judge_hole(const ModelLog& log, const std::string& bytes) {
  truss::testing::SimFileSystem fs;
  REQUIRE(fs.make_dir("/wal").has_value());
  const auto file = fs.open("/wal/" + log.names[0], {.write = true, .create = true}).value();
  REQUIRE(file->pwrite(bytes, 0).has_value());
  const auto hole = wal::find_hole(fs, "/wal").value();
  const auto evidence = waltool::gather(fs, {"/wal", "", ""}).value();
  return {hole && hole->synced, evidence.synced_through > raft::Index(0)};
}

/// Offsets of the records of one save: what is written between two syncs.
std::pair<std::uint64_t, std::uint64_t> extent(const ModelLog& log, std::uint64_t batch) {
  std::uint64_t begin = UINT64_MAX;
  std::uint64_t end = 0;
  for (const ModelRecord& r : log.records) {
    if (r.batch != batch) continue;
    begin = std::min(begin, r.offset);
    end = std::max(end, r.end);
  }
  return {begin, end};
}

}  // namespace

TEST_CASE("hole rule: no sectors that a crash may lose of an unsynced save look like damage") {
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const ModelLog log = some_log(seed);
    std::mt19937_64 random(seed);
    const std::uint64_t batches = log.records.back().batch;
    for (std::uint64_t batch = 1; batch <= batches; ++batch) {
      const auto [begin, end] = extent(log, batch);
      if (begin >= end) continue;
      for (int n = 0; n < 4; ++n) {
        std::string bytes = log.files.at(log.names[0]);
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(end), bytes.end(), '\0');
        const std::uint64_t odds = 1 + random() % 7;
        for (std::uint64_t at = begin; at < end; at = (at / kSector + 1) * kSector) {
          if (random() % 8 >= odds) continue;
          const std::uint64_t to = std::min(end, (at / kSector + 1) * kSector);
          std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(to), '\0');
        }
        const Found found = judge_hole(log, bytes);
        CHECK_MESSAGE(!found.library, "seed ", seed, ", save ", batch);
        CHECK_MESSAGE(!found.walctl, "seed ", seed, ", save ", batch);
        ++crashes;
      }
    }
  }
  CHECK(crashes > 3000);
}

TEST_CASE(
    "hole rule: entries that vanish before the last two saves are proved to have been synced") {
  std::uint64_t tried = 0;
  std::uint64_t library = 0;
  std::uint64_t walctl = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const ModelLog log = some_log(seed);
    std::mt19937_64 random(seed);
    const std::uint64_t batches = log.records.back().batch;
    for (int n = 0; n < 4; ++n) {
      const ModelRecord& r = log.records[random() % log.records.size()];
      if (r.kind != Kind::kEntry || r.batch + 2 >= batches) continue;
      std::string bytes = log.files.at(log.names[0]);
      if (n % 2 == 0) {  // its length says too much
        bytes[r.offset + 2] = static_cast<char>(bytes[r.offset + 2] | 0x40);
      } else {  // a sector that reads as zeros
        const std::uint64_t at = r.offset / kSector * kSector;
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                  bytes.begin() + static_cast<std::ptrdiff_t>(at + kSector), '\0');
      }
      const Found found = judge_hole(log, bytes);
      ++tried;
      library += found.library;
      walctl += found.walctl;
    }
  }
  MESSAGE(tried, " damaged logs: proved by the library ", library, ", by walctl ", walctl);
  CHECK(tried > 200);
  CHECK(library == tried);
  CHECK(walctl == tried);
}
