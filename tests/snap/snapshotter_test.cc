#include "truss/snap/snapshotter.h"

#include <doctest/doctest.h>

#include "truss/common/testing/memory_logger.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/snap/snap_file.h"

using namespace truss;
using namespace truss::snap;

namespace {

using Names = std::vector<std::string>;

raft::SnapshotMark mark(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), raft::Term(term)};
}

raft::Snapshot snapshot(std::uint64_t index, std::uint64_t term) {
  raft::Snapshot out;
  out.data = SharedBytes::copy("data of " + std::to_string(index));
  out.metadata = {{.voters = {raft::NodeId(1)}}, raft::Index(index), raft::Term(term)};
  return out;
}

struct Dir {
  testing::SimFileSystem fs;
  testing::MemoryLogger log;
  Snapshotter snapshotter{fs, log, "/snap"};

  Dir() {
    REQUIRE(fs.make_dir("/snap").has_value());
    REQUIRE(fs.sync_dir("/").has_value());
  }
  void save(std::uint64_t index, std::uint64_t term) {
    REQUIRE(snapshotter.save(snapshot(index, term)).has_value());
  }
  void put(const std::string& name, ByteView bytes = "x") {
    const auto file = fs.open("/snap/" + name, {.write = true, .create = true}).value();
    REQUIRE(file->pwrite(bytes, 0).has_value());
  }
  Names names() { return fs.list("/snap").value(); }
};

}  // namespace

TEST_CASE("a saved snapshot survives a crash, under etcd's name") {
  Dir dir;
  dir.save(201, 2);
  CHECK(dir.names() == Names{"0000000000000002-00000000000000c9.snap"});
  SeededRandom random(1);
  const auto crashed = dir.fs.crashed(random, testing::CrashStyle::kLoseAll);
  Snapshotter after(*crashed, dir.log, "/snap");
  CHECK(after.load_newest().value() == snapshot(201, 2));
}

TEST_CASE("an empty snapshot is not saved") {
  Dir dir;
  REQUIRE(dir.snapshotter.save({}).has_value());
  CHECK(dir.names().empty());
}

TEST_CASE("a crash inside a save leaves the older snapshot to start from") {
  Dir dir;
  dir.save(100, 1);
  SeededRandom random(7);
  int judged = 0;
  dir.fs.observe([&](const testing::SimOp&) {
    for (int i = 0; i < 50; ++i, ++judged) {
      const auto crashed = dir.fs.crashed(random);
      Snapshotter after(*crashed, dir.log, "/snap");
      const auto loaded = after.load_newest();
      REQUIRE(loaded.has_value());
      CHECK((*loaded == snapshot(100, 1) || *loaded == snapshot(200, 1)));
    }
  });
  dir.save(200, 1);
  CHECK(judged >= 150);
}

TEST_CASE("the newest snapshot that the log vouches for is chosen") {
  Dir dir;
  dir.save(100, 1);
  dir.save(200, 1);
  dir.save(150, 2);  // newer: the higher term
  CHECK(dir.snapshotter.load_newest()->metadata.index == raft::Index(150));
  const std::vector valid{mark(0, 0), mark(100, 1), mark(200, 1), mark(150, 3)};
  CHECK(dir.snapshotter.load_newest(valid)->metadata.index == raft::Index(200));
  CHECK(dir.names().size() == 3);
  CHECK(dir.snapshotter.load_newest(std::vector{mark(7, 7)}).error().code == Code::kNotFound);
  CHECK(dir.snapshotter.list().value() == std::vector{mark(150, 2), mark(200, 1), mark(100, 1)});
}

TEST_CASE("a bad file is set aside and the next older one taken") {
  Dir dir;
  dir.save(100, 1);
  dir.save(200, 1);
  dir.put("0000000000000001-00000000000000c8.snap", "rubbish");
  dir.put("0000000000000009-0000000000000009.snap", "");
  dir.put("db");
  CHECK(dir.snapshotter.load_newest()->metadata.index == raft::Index(100));
  CHECK(dir.names() == Names{"0000000000000001-0000000000000064.snap",
                             "0000000000000001-00000000000000c8.snap.broken",
                             "0000000000000009-0000000000000009.snap.broken", "db"});
  CHECK(dir.log.contains("failed to read a snap file"));
}

TEST_CASE("a disk error is not taken for a bad file") {
  Dir dir;
  dir.save(100, 1);
  dir.fs.inject([](const testing::SimOp& op) -> std::optional<testing::SimFault> {
    if (op.kind != testing::OpKind::kRead) return std::nullopt;
    return testing::SimFault::error(EIO);
  });
  CHECK_FALSE(dir.snapshotter.load_newest().has_value());
  dir.fs.inject({});
  CHECK(dir.snapshotter.load_newest().has_value());
}

TEST_CASE("orphans and old databases go") {
  Dir dir;
  for (const char* name :
       {"tmp123", "db.tmp.456", "db", "0000000000000064.snap.db", "00000000000000c8.snap.db"}) {
    dir.put(name);
  }
  REQUIRE(dir.snapshotter.remove_orphans().has_value());
  REQUIRE(dir.snapshotter.release_databases(raft::Index(200)).has_value());
  CHECK(dir.names() == Names{"00000000000000c8.snap.db", "db"});
  CHECK(dir.snapshotter.db_path(raft::Index(200)) == "/snap/00000000000000c8.snap.db");
}

TEST_CASE("purge keeps the newest, and one at or below the older root") {
  Dir dir;
  for (std::uint64_t index = 100; index <= 800; index += 100) dir.save(index, 1);
  for (const char* name : {"0000000000000001.snap.db", "0000000000000002.snap.db"}) dir.put(name);
  const auto purged = [&](std::uint32_t max, std::uint64_t root) {
    return dir.snapshotter.purge(max, raft::Index(root))->size();
  };
  CHECK(purged(0, 1000) == 0);
  CHECK(purged(5, 99) == 0);
  CHECK(purged(5, 250) == 1);  // 200 stays for a root at 250
  CHECK(purged(5, 1000) == 2);
  CHECK(dir.snapshotter.list()->back() == mark(400, 1));
  CHECK(purged(1, 1000) == 5);  // four snapshots and one database
  CHECK(dir.names() == Names{"0000000000000001-0000000000000320.snap", "0000000000000002.snap.db"});
}
