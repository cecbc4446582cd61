#include "truss/waltool/repair.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim_member.h"
#include "sim_names.h"
#include "truss/common/testing/sweep.h"

using namespace truss;
using namespace truss::testing;
using namespace truss::walctl_test;

namespace {

struct Case {
  ModelLog log;
  Files files;
  std::uint64_t applied = 0;
};

ModelLog plain_log() {
  return make_log(11, {.batches = 12,
                       .segment_bytes = 2048,
                       .last_bytes = 4096,
                       .snapshot_every = 0,
                       .new_term = 0});
}

/// Half a record behind the last one.
Case torn() {
  Case out{plain_log(), {}, 3};
  out.files = out.log.files;
  const std::uint64_t used = out.log.used_bytes(out.log.names.size() - 1);
  out.files[out.log.names.back()].replace(used, 12,
                                          std::string("\x50\0\0\0\0\0\0\x84\x08\x02\x10\x01", 12));
  return out;
}

/// A flipped byte in an entry that the db has applied.
Case covered() {
  Case out{plain_log(), {}, 0};
  out.files = out.log.files;
  out.applied = out.log.commit;
  for (const ModelRecord& r : out.log.records) {
    if (r.kind != Kind::kEntry || r.index != out.log.commit / 2) continue;
    out.files[out.log.names[r.segment]][r.data_end - 2] ^= 1;
  }
  return out;
}

/// The same, and the db has applied everything in the log, also what no state in it commits.
Case covered_past_commit() {
  Case out = covered();
  for (const ModelRecord& r : out.log.records) {
    if (r.kind == Kind::kEntry) out.applied = std::max(out.applied, r.index);
  }
  return out;
}

/// The entries above `base` of a log; those of the old one that a repair must keep.
Entries above(const Entries& entries, std::uint64_t base) {
  Entries out;
  std::ranges::copy_if(entries, std::back_inserter(out),
                       [&](const auto& e) { return std::get<0>(e) > base; });
  return out;
}

/// A crash at each point of a repair leaves the log as it was judged before, or mended.
std::uint64_t sweep_repair(const Case& one, waltool::Verdict expected, std::uint64_t seed) {
  SimFileSystem disk;
  make_member(disk, one.files, one.applied);
  const auto dir = member_dir(disk);
  const auto evidence = waltool::gather(disk, dir).value();
  const auto judgement = waltool::judge(evidence);
  REQUIRE(judgement.verdict == expected);
  const std::uint64_t base = judgement.repair.base.index.value();
  const Entries kept = above(entries_of(disk, dir), base);
  std::uint64_t mended = 0;
  CrashSweep sweep({.seed = seed, .copies_per_point = 4},
                   [&](SimFileSystem& crashed) -> std::string {
                     const auto now_dir = member_dir(crashed);
                     const auto now = waltool::gather(crashed, now_dir);
                     if (!now) return now.error().message;
                     const auto verdict = waltool::judge(*now);
                     if (verdict.verdict != expected && verdict.verdict != waltool::Verdict::kClean)
                       return "became " + waltool::verdict_name(verdict.verdict);
                     if (verdict.verdict == waltool::Verdict::kClean) ++mended;
                     if (verdict.committed < judgement.committed)
                       return "forgot what was committed";
                     if (above(entries_of(crashed, now_dir), base) != kept)
                       return "has other entries";
                     return {};
                   });
  sweep.attach(disk);
  SimNames names(disk);
  SystemProcess process;
  const auto steps = waltool::repair(disk, names, process, dir, evidence, judgement);
  REQUIRE_MESSAGE(steps.has_value(), steps.error().message);
  sweep.crash_now(disk);
  CHECK_MESSAGE(sweep.failures() == 0, sweep.report());
  CHECK(mended > 0);
  const auto after = waltool::gather(disk, dir).value();
  CHECK(waltool::judge(after).verdict == waltool::Verdict::kClean);
  // A log written anew says itself what is committed, by the db too.
  if (expected == waltool::Verdict::kCovered) {
    CHECK(after.state.commit.value() >= one.applied);
    CHECK(after.state.commit >= judgement.committed);
  }
  return sweep.crashes();
}

}  // namespace

TEST_CASE("repair: a crash at any point of cutting a torn tail leaves the log before or after") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed)
    CHECK(sweep_repair(torn(), waltool::Verdict::kSafeTrim, seed) > 10);
}

TEST_CASE("repair: a crash at any point of rebuilding a log leaves the old log or the new one") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed)
    CHECK(sweep_repair(covered(), waltool::Verdict::kCovered, seed) > 20);
}

TEST_CASE("repair: a rebuilt log commits what the db has applied, whatever the old one committed") {
  const Case one = covered_past_commit();
  REQUIRE(one.applied > one.log.commit);
  CHECK(sweep_repair(one, waltool::Verdict::kCovered, 1) > 20);
}
