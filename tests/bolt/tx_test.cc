#include "support.h"
#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

TEST_CASE("bolt tx: readers keep their view while the file is rewritten and remapped") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  std::vector<std::pair<int, Tx>> readers;
  for (int round = 0; round < 20; ++round) {
    fill(*db, "key", 0, 400, "round " + std::to_string(round));
    readers.emplace_back(round, must(db->begin_read()));
  }
  CHECK(db->stats().open_readers == 20);
  CHECK(db->stats().pending_pages > 0);
  for (auto& [round, tx] : readers) {
    Bucket b = bucket_of(tx, "key");
    for (int i = 0; i < 400; ++i) REQUIRE(get(b, key_of(i)) == "round " + std::to_string(round));
  }
  readers.clear();
  must(must(db->begin_write()).commit());
  CHECK(db->stats().pending_pages == 0);
  check_sound(*db);
}

TEST_CASE("bolt tx: with no readers, rewriting doesn't make the file grow") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 1000, "first");
  fill(*db, "key", 0, 1000, "again");
  const auto size = db->stats().size_bytes;
  for (int round = 0; round < 30; ++round) fill(*db, "key", 0, 1000, "later");
  CHECK(db->stats().size_bytes <= size + 8 * 4096);
}

TEST_CASE("bolt tx: one old reader doesn't pin what was written and freed after it") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 1000, "first");
  Tx old = must(db->begin_read());
  fill(*db, "key", 0, 1000, "again");
  fill(*db, "key", 0, 1000, "third");
  const auto size = db->stats().size_bytes;
  for (int round = 0; round < 30; ++round) fill(*db, "key", 0, 1000, "later");
  CHECK(db->stats().size_bytes <= size + 8 * 4096);
  CHECK(get(bucket_of(old, "key"), key_of(7)) == "first");
}

TEST_CASE("bolt tx: an unchanged commit writes nothing") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 10, "v");
  const auto points = fs.points();
  {
    Tx tx = must(db->begin_write());
    CHECK(get(bucket_of(tx, "key"), key_of(3)) == "v");
    must(bucket_of(tx, "key").remove("absent"));
    must(tx.commit());
  }
  CHECK(fs.points() == points);
}

TEST_CASE("bolt tx: data is synced before the meta page, and that before the end") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 10, "v");
  std::vector<std::string> ops;
  fs.observe([&](const truss::testing::SimOp& op) {
    const bool meta = op.offset < 2 * 4096;
    ops.push_back(std::string(truss::testing::op_name(op.kind)) + (is_sync(op.kind) ? ""
                                                                   : meta           ? " meta"
                                                                                    : " data"));
  });
  fill(*db, "key", 0, 10, "w");
  fs.observe({});
  REQUIRE(ops.size() >= 4);
  const std::string sync(truss::testing::op_name(truss::testing::OpKind::kSyncData));
  const std::string write(truss::testing::op_name(truss::testing::OpKind::kWrite));
  CHECK(ops[ops.size() - 1] == sync);
  CHECK(ops[ops.size() - 2] == write + " meta");
  CHECK(ops[ops.size() - 3] == sync);
  for (std::size_t i = 0; i + 3 < ops.size(); ++i) CHECK(ops[i] == write + " data");
  CHECK(fs.unsynced() == 0);
}

TEST_CASE("bolt tx: with no_sync nothing is synced") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db", {.no_sync = true});
  const auto syncs = db->stats().syncs;
  fill(*db, "key", 0, 1000, "v");
  CHECK(db->stats().syncs == syncs);
}

TEST_CASE("bolt tx: the commit's cost doesn't depend on the number of free pages") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 20000, std::string(1000, 'x'));
  {
    Tx tx = must(db->begin_write());
    must(tx.remove_bucket("key"));
    must(tx.commit());
  }
  fill(*db, "small", 0, 1, "v");
  CHECK(db->stats().free_pages > 5000);
  const auto written = db->stats().pages_written;
  fill(*db, "small", 0, 1, "w");
  CHECK(db->stats().pages_written - written <= 2);
}

TEST_CASE("bolt tx: a failed write or sync calls the fatal handler and stops the writer") {
  for (int nth = 0; nth < 4; ++nth) {
    truss::testing::SimFileSystem fs;
    std::string why;
    struct Died {};
    auto db = must(DB::open(fs, "/db", {}, [&](std::string_view text) {
      why = text;
      throw Died{};
    }));
    fill(*db, "key", 0, 10, "v");
    int seen = 0;
    fs.inject([&](const truss::testing::SimOp& op) -> std::optional<truss::testing::SimFault> {
      if (!is_point(op.kind) || seen++ != nth) return std::nullopt;
      return truss::testing::SimFault::error(EIO);
    });
    {
      Tx tx = must(db->begin_write());
      must(bucket_of(tx, "key").put("a", "b"));
      CHECK_THROWS_AS(static_cast<void>(tx.commit()), Died);
    }
    fs.inject({});
    CHECK(why.find("bolt /db: ") == 0);
    CHECK(db->begin_write().error().code == Code::kFailedPrecondition);
    Tx tx = must(db->begin_read());
    CHECK(get(bucket_of(tx, "key"), key_of(1)) == "v");
  }
}

TEST_CASE("bolt tx: a file that can't be mapped further refuses the commit and goes on") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 10, "v");
  fs.inject([&](const truss::testing::SimOp& op) -> std::optional<truss::testing::SimFault> {
    if (op.kind != truss::testing::OpKind::kMap) return std::nullopt;
    return truss::testing::SimFault::error(ENOMEM);
  });
  {
    Tx tx = must(db->begin_write());
    must(bucket_of(tx, "key").put("large", std::string(1 << 20, 'x')));
    CHECK(tx.commit().error().code == Code::kResourceExhausted);
  }
  fs.inject({});
  check_sound(*db);
  fill(*db, "key", 0, 2000, "after");
  check_sound(*db);
  Tx tx = must(db->begin_read());
  CHECK(get(bucket_of(tx, "key"), key_of(1)) == "after");
  CHECK(get(bucket_of(tx, "key"), "large") == "(none)");
}

TEST_CASE("bolt tx: write_to gives an image of the reader's view that opens") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db", {.no_freelist_sync = false});
  fill(*db, "key", 0, 3000, "first");
  Tx reader = must(db->begin_read());
  fill(*db, "key", 0, 3000, "second");
  std::string image;
  must(reader.write_to([&](ByteView piece) -> Result<> {
    CHECK(piece.size() <= 65536);
    image += piece;
    return {};
  }));
  CHECK(image.size() == reader.size_bytes());
  {
    auto file = must(fs.open("/copy", {.write = true, .create = true}));
    must(file->pwrite(image, 0));
  }
  auto copy = open_db(fs, "/copy");
  check_sound(*copy);
  {
    Tx tx = must(copy->begin_read());
    CHECK(tx.id() == reader.id());
    CHECK(get(bucket_of(tx, "key"), key_of(2999)) == "first");
  }
  fill(*copy, "key", 0, 10, "third");
  check_sound(*copy);
  CHECK(reader.write_to([](ByteView) -> Result<> { return fail(Code::kCanceled, "enough"); })
            .error()
            .code == Code::kCanceled);
  Tx writer = must(db->begin_write());
  CHECK(writer.write_to([](ByteView) -> Result<> { return {}; }).error().code ==
        Code::kFailedPrecondition);
}
