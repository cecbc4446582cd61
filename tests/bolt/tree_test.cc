#include "support.h"
#include "truss/common/random.h"
#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

TEST_CASE("bolt tree: overflow values of every size around the page size") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db", {.page_size = 1024});
  {
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket("key"));
    for (int n = 900; n < 1100; ++n) must(b.put(key_of(n), std::string(n, 'v')));
    must(b.put("large", std::string(3 << 20, 'L')));
    must(tx.commit());
  }
  check_sound(*db);
  db.reset();
  db = open_db(fs, "/db");
  Tx tx = must(db->begin_read());
  Bucket b = bucket_of(tx, "key");
  for (int n = 900; n < 1100; ++n) CHECK(get(b, key_of(n)) == std::string(n, 'v'));
  CHECK(get(b, "large") == std::string(3 << 20, 'L'));
}

TEST_CASE("bolt tree: overflow pages come back when the value goes") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db");
  fill(*db, "key", 0, 1, "v");
  const auto before = db->stats().in_use_bytes;
  {
    Tx tx = must(db->begin_write());
    must(bucket_of(tx, "key").put("large", std::string(100000, 'L')));
    must(tx.commit());
  }
  {
    Tx tx = must(db->begin_write());
    must(bucket_of(tx, "key").remove("large"));
    must(tx.commit());
  }
  must(must(db->begin_write()).commit());
  CHECK(db->stats().in_use_bytes == before);
  check_sound(*db);
}

TEST_CASE("bolt tree: a transaction larger than a node in memory holds") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db", {.page_size = 1024});
  std::map<std::string, std::string> model;
  SeededRandom random(3);
  {
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket("key"));
    for (int i = 0; i < 20000; ++i) {
      const std::string key = key_of(static_cast<int>(random.below(1000000)));
      must(b.put(key, std::to_string(i)));
      model[key] = std::to_string(i);
    }
    CHECK(pairs_of(b) == model);
    must(tx.commit());
  }
  check_sound(*db);
  Tx tx = must(db->begin_read());
  CHECK(pairs_of(bucket_of(tx, "key")) == model);
}

TEST_CASE("bolt tree: emptied from either end, by steps") {
  for (const bool backward : {false, true}) {
    truss::testing::SimFileSystem fs;
    auto db = open_db(fs, "/db", {.page_size = 1024});
    fill(*db, "key", 0, 2000, "value of twenty bytes");
    for (int from = 0; from < 2000; from += 100) {
      Tx tx = must(db->begin_write());
      Bucket b = bucket_of(tx, "key");
      for (int i = from; i < from + 100; ++i) must(b.remove(key_of(backward ? 1999 - i : i)));
      must(tx.commit());
      check_sound(*db);
    }
    Tx tx = must(db->begin_read());
    CHECK(pairs_of(bucket_of(tx, "key")).empty());
  }
}

TEST_CASE("bolt tree: fill percent decides how full sequential pages are") {
  const auto pages = [](double fill) {
    truss::testing::SimFileSystem fs;
    auto db = open_db(fs, "/db");
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket("key"));
    b.set_fill_percent(fill);
    for (int i = 0; i < 10000; ++i) must(b.put(key_of(i), "0123456789"));
    must(tx.commit());
    return db->stats().size_bytes / db->page_size();
  };
  CHECK(pages(0.9) < pages(0.5) * 6 / 10);
  CHECK(pages(0.1) > pages(0.5) * 4);
}

TEST_CASE("bolt tree: keys of up to 32768 bytes split branches") {
  truss::testing::SimFileSystem fs;
  auto db = open_db(fs, "/db", {.page_size = 1024});
  std::map<std::string, std::string> model;
  for (int round = 0; round < 4; ++round) {
    Tx tx = must(db->begin_write());
    Bucket b = must(tx.create_bucket_if_absent("key"));
    for (int i = 0; i < 60; ++i) {
      const std::string key = key_of(i * 7 + round) + std::string(i * 540, 'k');
      must(b.put(key, "v"));
      model[key] = "v";
    }
    must(tx.commit());
    check_sound(*db);
  }
  Tx tx = must(db->begin_read());
  CHECK(pairs_of(bucket_of(tx, "key")) == model);
}
