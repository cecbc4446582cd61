#include "corpus.h"

#include <doctest/doctest.h>

#include "truss/common/testing/sim_file_system.h"

namespace truss::walctl_test {

waltool::Evidence evidence_of(const Files& files, const Beside& beside) {
  truss::testing::SimFileSystem fs;
  REQUIRE(fs.make_dir("/wal").has_value());
  for (const auto& [name, bytes] : files) {
    const auto file = fs.open("/wal/" + name, {.write = true, .create = true}).value();
    REQUIRE(file->pwrite(bytes, 0).has_value());
  }
  auto evidence = waltool::gather(fs, {"/wal", "", ""}).value();
  evidence.has_snap_dir = true;
  evidence.has_db = beside.db;
  if (beside.db) {
    evidence.db.emplace();
    evidence.db->consistent_index = beside.applied;
    if (beside.applied >= 1) evidence.db->members = {{7, false}};
  }
  if (beside.snapshot > 0) {
    waltool::SnapFacts snap;
    snap.mark = {raft::Index(beside.snapshot), raft::Term(1)};
    snap.readable = true;
    snap.members = {{7, false}};
    evidence.snaps.push_back(snap);
  }
  return evidence;
}

std::string text(const Truth& truth) {
  if (!truth.lost) return truth.verdict;
  return truth.verdict + " " + std::to_string(truth.lost->first) + ".." +
         std::to_string(truth.lost->second);
}

}  // namespace truss::walctl_test
