#include "purger.h"

#include <doctest/doctest.h>

#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/wal/segment.h"

/// Surplus files go one after the other, beside everything else.
using namespace truss;
using namespace truss::server;

namespace {

raft::Snapshot snapshot_at(std::uint64_t index) {
  raft::Snapshot out;
  out.metadata.index = raft::Index(index);
  out.metadata.term = raft::Term(1);
  return out;
}

/// Ten segments that nobody holds, beginning at 0, 100, 200 and so on, and a snapshot at 650.
struct Folder {
  Folder() {
    for (const char* dir : {"/wal", "/snap"}) REQUIRE(disk.make_dir(dir));
    for (std::uint64_t i = 0; i < 10; ++i) {
      const wal::SegmentName name{i, raft::Index(100 * i)};
      REQUIRE(disk.open("/wal/" + name.file_name(), {.write = true, .create = true}));
    }
    snap::Snapshotter snapshotter(disk, logger, "/snap");
    for (const std::uint64_t index : {250, 450, 650}) REQUIRE(snapshotter.save(snapshot_at(index)));
  }
  Purger::Parts parts(std::uint32_t max_wals, std::uint32_t max_snaps) {
    return {*executor, member.clock(), disk,
            logger,    "/wal",         "/snap",
            max_wals,  max_snaps,      std::chrono::milliseconds(250)};
  }
  std::size_t segments() { return wal::list_segments(disk, "/wal")->size(); }
  std::size_t snapshots() { return disk.list("/snap")->size(); }

  truss::testing::SimRuntime world{1};
  truss::testing::SimMember member{world, "m"};
  std::unique_ptr<Executor> executor = member.make_executor("maintenance");
  truss::testing::SimFileSystem disk;
  NullLogger logger;
};

}  // namespace

TEST_CASE("segments go one at a time, with pauses, down to what is to be kept") {
  Folder folder;
  Purger purger(folder.parts(5, 5));
  purger.purge(raft::Index(1000));
  purger.purge(raft::Index(1000));  // while it is under way
  std::size_t left = 10;
  for (int i = 0; i < 40; ++i) {
    folder.world.run_for(std::chrono::milliseconds(50));
    CHECK(left - folder.segments() <= 1);
    left = folder.segments();
    if (i == 4) CHECK(left >= 8);
  }
  CHECK(left == 5);
  CHECK(folder.snapshots() == 3);
}

TEST_CASE("what a fallback to the older root needs stays, and zero keeps all") {
  Folder folder;
  Purger purger(folder.parts(1, 1));
  purger.purge(raft::Index(500));
  folder.world.run_for(std::chrono::seconds(5));
  CHECK(folder.segments() == 6);   // the snapshot at 450 and what follows: from 400 on
  CHECK(folder.snapshots() == 2);  // the newest, and that at 450
  Purger none(folder.parts(0, 0));
  none.purge(raft::Index(1000));
  folder.world.run_for(std::chrono::seconds(5));
  CHECK(folder.segments() == 6);
  CHECK(folder.snapshots() == 2);
}
