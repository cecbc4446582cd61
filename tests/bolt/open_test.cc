#include <sys/stat.h>

#include "support.h"
#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

TEST_CASE("bolt open: every page size, both freelist types, stored and not") {
  for (std::uint32_t size = 1024; size <= 65536; size *= 2) {
    for (const auto type : {FreelistType::kArray, FreelistType::kHashMap}) {
      for (const bool unsynced : {false, true}) {
        truss::testing::SimFileSystem fs;
        const Options options{
            .no_freelist_sync = unsynced, .freelist_type = type, .page_size = size};
        auto db = open_db(fs, "/db", options);
        fill(*db, "key", 0, 2000, "value");
        fill(*db, "key", 500, 700, "again");
        const auto stats = db->stats();
        db.reset();
        db = open_db(fs, "/db", {.no_freelist_sync = unsynced});
        CHECK(db->page_size() == size);
        CHECK(db->stats().free_pages == stats.free_pages + stats.pending_pages);
        CHECK(db->stats().in_use_bytes == stats.in_use_bytes);
        check_sound(*db);
        fill(*db, "key", 0, 100, "more");
        check_sound(*db);
      }
    }
  }
}

TEST_CASE("bolt open: the way the freelist is kept can change from run to run") {
  truss::testing::SimFileSystem fs;
  for (int run = 0; run < 6; ++run) {
    auto db = open_db(fs, "/db", {.no_freelist_sync = run % 2 == 0});
    check_sound(*db);
    fill(*db, "key", run * 100, run * 100 + 300, "v" + std::to_string(run));
    check_sound(*db);
  }
}

TEST_CASE("bolt open: page sizes outside the range are refused") {
  truss::testing::SimFileSystem fs;
  for (const std::uint32_t size : {1, 512, 4095, 131072}) {
    CHECK(DB::open(fs, "/db", {.page_size = size}).error().code == Code::kInvalidArgument);
  }
  CHECK(!exists(fs, "/db"));
}

TEST_CASE("bolt open: a new file is durable, with its name, when open returns") {
  truss::testing::SimFileSystem fs;
  must(fs.make_dir("/d"));
  must(fs.sync_dir("/"));
  open_db(fs, "/d/db");
  SeededRandom random(1);
  const auto after = fs.crashed(random, truss::testing::CrashStyle::kLoseAll);
  CHECK(must(after->list("/d")) == std::vector<std::string>{"db"});
  check_sound(*open_db(*after, "/d/db"));
}

TEST_CASE("bolt open: an empty file and a half-made temporary one are no obstacle") {
  truss::testing::SimFileSystem fs;
  must(must(fs.open("/db.tmp", {.write = true, .create = true}))->pwrite("half", 0));
  static_cast<void>(must(fs.open("/db", {.write = true, .create = true})));
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 1, "v");
  CHECK(!exists(fs, "/db.tmp"));
}

TEST_CASE("bolt open: a second opener is turned away until the first has gone") {
  TempDir dir;
  auto db = open_db(dir.fs, dir.file("db"));
  auto second = DB::open(dir.fs, dir.file("db"), {});
  REQUIRE(!second);
  CHECK(second.error().code == Code::kUnavailable);
  CHECK(second.error().message.find(dir.file("db")) != std::string::npos);
  CHECK(DB::open(dir.fs, dir.file("db"), {.read_only = true}).error().code == Code::kUnavailable);
  db.reset();
  auto reader = open_db(dir.fs, dir.file("db"), {.read_only = true});
  auto other_reader = open_db(dir.fs, dir.file("db"), {.read_only = true});
  CHECK(DB::open(dir.fs, dir.file("db"), {}).error().code == Code::kUnavailable);
}

TEST_CASE("bolt open: a new file has mode 0600 unless told otherwise") {
  TempDir dir;
  open_db(dir.fs, dir.file("db"));
  CHECK((must(dir.fs.stat(dir.file("db"))).mode & 0777) == 0600);
  open_db(dir.fs, dir.file("other"), {.mode = 0640});
  CHECK((must(dir.fs.stat(dir.file("other"))).mode & 0777) == 0640);
}

TEST_CASE("bolt open: read-only changes nothing and refuses writers") {
  truss::testing::SimFileSystem fs;
  CHECK(DB::open(fs, "/db", {.read_only = true}).error().code == Code::kNotFound);
  fill(*open_db(fs, "/db"), "key", 0, 100, "v");
  const auto points = fs.points();
  {
    auto db = open_db(fs, "/db", {.read_only = true, .no_freelist_sync = false});
    CHECK(db->begin_write().error().code == Code::kFailedPrecondition);
    check_sound(*db);
    Tx tx = must(db->begin_read());
    CHECK(pairs_of(bucket_of(tx, "key")).size() == 100);
  }
  CHECK(fs.points() == points);
}

TEST_CASE("bolt open: the newest meta page damaged, the older state is served and heals it") {
  for (const bool second_damage : {false, true}) {
    truss::testing::SimFileSystem fs;
    {
      auto db = open_db(fs, "/db");
      fill(*db, "key", 0, 10, "old");
      fill(*db, "key", 0, 10, "new");
      Tx tx = must(db->begin_read());
      const auto newest = tx.id().value() % 2;
      auto file = must(fs.open("/db", {.write = true}));
      must(file->pwrite("damage", newest * 4096 + 40));
      if (second_damage) must(file->pwrite("damage", (1 - newest) * 4096 + 40));
    }
    auto reopened = DB::open(fs, "/db", {});
    if (second_damage) {
      CHECK(reopened.error().code == Code::kCorruption);
      continue;
    }
    auto db = must(std::move(reopened));
    CHECK(db->stats().damaged_meta);
    check_sound(*db);
    {
      Tx tx = must(db->begin_read());
      CHECK(get(bucket_of(tx, "key"), key_of(1)) == "old");
    }
    fill(*db, "key", 0, 10, "after");
    CHECK(!db->stats().damaged_meta);
    db.reset();
    db = open_db(fs, "/db");
    CHECK(!db->stats().damaged_meta);
    Tx tx = must(db->begin_read());
    CHECK(get(bucket_of(tx, "key"), key_of(1)) == "after");
  }
}

TEST_CASE("bolt open: a file cut short is refused for writing, and named") {
  truss::testing::SimFileSystem fs;
  fill(*open_db(fs, "/db"), "key", 0, 2000, "v");
  must(must(fs.open("/db", {.write = true}))->truncate(5 * 4096));
  const auto db = DB::open(fs, "/db", {});
  CHECK(db.error().code == Code::kCorruption);
  CHECK(db.error().message.find("cut off") != std::string::npos);
  auto reader = open_db(fs, "/db", {.read_only = true});
  CHECK(must(reader->check([](const std::string&) {})) > 0);
}

TEST_CASE("bolt open: the file grows ahead, in steps") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 10, "v");
  CHECK(must(fs.stat("/db")).size == 32768);
  fill(*db, "key", 0, 1000, std::string(100, 'v'));
  const auto grown = must(fs.stat("/db")).size;
  CHECK(grown >= db->stats().size_bytes);
  CHECK(grown <= 4 * db->stats().size_bytes);
  db.reset();
  db = open_db(fs, "/tight", {.no_grow_sync = true});
  fill(*db, "key", 0, 1000, std::string(100, 'v'));
  CHECK(must(fs.stat("/tight")).size <= db->stats().size_bytes);
}

TEST_CASE("bolt open: a map large enough from the start is never replaced") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db", {.initial_mmap_size = 64 << 20});
  int maps = 0;
  fs.inject([&](const truss::testing::SimOp& op) -> std::optional<truss::testing::SimFault> {
    maps += op.kind == truss::testing::OpKind::kMap;
    return std::nullopt;
  });
  fill(*db, "key", 0, 20000, std::string(200, 'v'));
  CHECK(maps == 0);
}
