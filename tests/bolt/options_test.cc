#include "exercise.h"
#include "support.h"
#include "truss/bolt/builder.h"
#include "truss/common/testing/sim_file_system.h"

// What bbolt offers besides pairs: moved buckets, a largest size, strict mode, and the builder.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;
using truss::testing::SimFileSystem;

TEST_CASE("bolt move: a bucket with all in it, its open handle and its sequence") {
  SimFileSystem fs;
  auto db = open_db(fs, "/db", {.no_sync = true, .strict = true});
  for (const int pairs : {1, 2000}) {  // inline, and with pages
    const std::string name = "moved " + std::to_string(pairs);
    for (const bool committed : {true, false}) {
      Tx tx = must(db->begin_write());
      Bucket from = must(tx.create_bucket_if_absent("from"));
      Bucket to = must(must(tx.create_bucket_if_absent("to")).create_bucket_if_absent("deep"));
      Bucket bucket = must(from.create_bucket(name));
      for (int i = 0; i < pairs; ++i) must(bucket.put(key_of(i), "v"));
      must(bucket.set_sequence(7));
      must(must(bucket.create_bucket("inner")).put("x", "y"));
      if (committed) {
        must(tx.commit());
        tx = must(db->begin_write());
        from = bucket_of(tx, "from");
        to = *must(bucket_of(tx, "to").bucket("deep"));
        bucket = *must(from.bucket(name));
      }
      must(from.move_bucket(name, to));
      must(bucket.put("late", "1"));
      CHECK(!must(from.bucket(name)));
      must(tx.commit());
      check_sound(*db);
      tx = must(db->begin_write());
      to = *must(bucket_of(tx, "to").bucket("deep"));
      Bucket there = *must(to.bucket(name));
      CHECK(pairs_of(there).size() == static_cast<std::size_t>(pairs) + 2);
      CHECK(there.sequence() == 7);
      CHECK(get(*must(there.bucket("inner")), "x") == "y");
      must(to.remove_bucket(name));
      must(tx.commit());
    }
  }
}

TEST_CASE("bolt move: to and from the top level") {
  SimFileSystem fs;
  auto db = open_db(fs, "/db");
  Tx tx = must(db->begin_write());
  Bucket a = must(tx.create_bucket("a"));
  must(must(a.create_bucket("b")).put("k", "v"));
  must(a.move_bucket("b", tx.top()));
  CHECK(get(bucket_of(tx, "b"), "k") == "v");
  must(tx.top().move_bucket("a", bucket_of(tx, "b")));
  must(tx.commit());
  check_sound(*db);
  tx = must(db->begin_write());
  CHECK(!must(tx.bucket("a")));
  CHECK(must(bucket_of(tx, "b").bucket("a")));
  CHECK(tx.top().put("k", "v").error().code == Code::kInvalidArgument);
}

TEST_CASE("bolt move: refused") {
  SimFileSystem fs;
  auto db = open_db(fs, "/db");
  Tx tx = must(db->begin_write());
  Bucket a = must(tx.create_bucket("a"));
  Bucket b = must(tx.create_bucket("b"));
  Bucket inner = must(a.create_bucket("inner"));
  must(b.create_bucket("inner"));
  must(a.put("value", "1"));
  CHECK(a.move_bucket("none", b).error().code == Code::kNotFound);
  CHECK(a.move_bucket("value", b).error().code == Code::kInvalidArgument);
  CHECK(a.move_bucket("inner", b).error().code == Code::kAlreadyExists);
  CHECK(a.move_bucket("inner", a).error().code == Code::kInvalidArgument);
  CHECK(tx.top().move_bucket("a", inner).error().code == Code::kInvalidArgument);
  Bucket deep = b;
  for (int i = 0; i < 62; ++i) deep = must(deep.create_bucket("d"));
  must(inner.create_bucket("one more"));
  CHECK(a.move_bucket("inner", deep).error().code == Code::kInvalidArgument);
  must(tx.commit());
  check_sound(*db);
}

TEST_CASE("bolt max size: a commit that would pass it is refused, and the next small one works") {
  SimFileSystem fs;
  auto db = open_db(fs, "/db", {.max_size_bytes = 100 * 1024});
  {
    Tx tx = must(db->begin_write());
    must(must(tx.create_bucket("b")).put("large", std::string(200 * 1024, 'x')));
    const auto refused = tx.commit();
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kResourceExhausted);
  }
  for (int i = 0; i < 30; ++i) fill(*db, "b", 0, 100, std::to_string(i));
  CHECK(must(fs.stat("/db")).size <= 100 * 1024);
  check_sound(*db);
}

TEST_CASE("bolt freelist form: rewritten in the other form at once") {
  SimFileSystem fs;
  for (const bool unsynced : {true, false, true}) {
    auto db = open_db(fs, "/db", {.no_freelist_sync = unsynced});
    fill(*db, "b", 0, 300, "x");
    must(db->rewrite_freelist());
    const std::uint64_t commits = db->stats().commits;
    must(db->rewrite_freelist());
    CHECK(db->stats().commits == commits);
    check_sound(*db);
  }
}

TEST_CASE("bolt builder: random trees of every shape are sound and hold what was put") {
  SeededRandom random(1);
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    SimFileSystem fs;
    auto file = must(fs.open("/new", {.write = true, .create = true}));
    const std::uint32_t page_size = 1024U << random.below(7);
    Builder builder(*file, "/new",
                    {.page_size = page_size,
                     .fill = 0.1 + static_cast<double>(random.below(10)) / 10,
                     .store_freelist = random.below(2) == 0});
    std::vector<std::string> keys;
    const std::uint64_t count = random.below(3) == 0 ? random.below(5) : random.below(4000);
    for (std::uint64_t i = 0; i < count; ++i) keys.push_back(key_of(static_cast<int>(i)));
    const std::string value(random.below(2) == 0 ? random.below(60) : random.below(5000), 'v');
    must(builder.begin_bucket("b", 5));
    for (const std::string& key : keys) must(builder.put(key, value));
    must(builder.begin_bucket("z", 1));
    must(builder.put("a", "b"));
    must(builder.end_bucket());
    must(builder.end_bucket());
    must(builder.finish());
    file.reset();
    {
      auto db = open_db(fs, "/new", {.no_freelist_sync = random.below(2) == 0});
      check_sound(*db);
      Tx tx = must(db->begin_read());
      CHECK(pairs_of(bucket_of(tx, "b")).size() == count + 1);
      if (count > 0) CHECK(get(bucket_of(tx, "b"), keys.back()) == value);
      CHECK(bucket_of(tx, "b").sequence() == 5);
    }
    CHECK(exercise(must(read_file(fs, "/new")), static_cast<std::uint64_t>(round)) == "");
  }
}

TEST_CASE("bolt builder: refuses what can't be") {
  SimFileSystem fs;
  auto file = must(fs.open("/new", {.write = true, .create = true}));
  Builder builder(*file, "/new", {});
  CHECK(builder.put("k", "v").error().code == Code::kInvalidArgument);
  CHECK(builder.end_bucket().error().code == Code::kInvalidArgument);
  must(builder.begin_bucket("b", 0));
  must(builder.put("k", "v"));
  CHECK(builder.put("k", "v").error().code == Code::kCorruption);
  CHECK(builder.put("a", "v").error().code == Code::kCorruption);
  CHECK(builder.put("", "v").error().code == Code::kInvalidArgument);
  CHECK(builder.finish().error().code == Code::kInvalidArgument);
}
