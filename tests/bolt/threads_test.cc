#include <atomic>

#include "support.h"
#include "truss/bolt/check.h"
#include "truss/bolt/walk.h"
#include "truss/common/executor.h"
#include "truss/common/random.h"

// One writer, many readers, several threads that want to write. For the thread sanitizer.
using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

TEST_CASE("bolt threads: every reader sees one whole commit") {
  TempDir dir;
  auto db = open_db(dir.fs, dir.file("db"), {.no_sync = true});
  fill(*db, "key", 0, 300, "0");
  std::atomic<bool> stop{false};
  std::atomic<int> mixed{0}, reads{0};
  {
    std::vector<Thread> readers;
    for (int t = 0; t < 3; ++t) {
      readers.emplace_back("reader", [&] {
        while (!stop.load() || reads.load() < 20) {
          auto tx = db->begin_read();
          auto bucket = tx->bucket("key");
          Cursor c = (*bucket)->cursor();
          auto kv = c.first();
          const std::string first((*kv)->value);
          int count = 0;
          for (; kv && *kv; kv = c.next(), ++count) mixed += (*kv)->value != first;
          mixed += count != 300;
          static_cast<void>(db->stats());
          ++reads;
        }
      });
    }
    for (int round = 1; round <= 150; ++round) {
      fill(*db, "key", 0, 300, std::string(1 + round % 50, static_cast<char>('a' + round % 26)));
    }
    stop = true;
  }
  CHECK(mixed == 0);
  CHECK(reads > 0);
  check_sound(*db);
}

TEST_CASE("bolt threads: writers wait for each other and lose nothing") {
  TempDir dir;
  auto db = open_db(dir.fs, dir.file("db"), {.no_sync = true});
  fill(*db, "key", 0, 1, "0");
  {
    std::vector<Thread> writers;
    for (int t = 0; t < 4; ++t) {
      writers.emplace_back("writer", [&] {
        for (int i = 0; i < 50; ++i) {
          auto tx = db->begin_write();
          auto bucket = tx->bucket("key");
          const int n = std::stoi(std::string(**(*bucket)->get(key_of(0))));
          static_cast<void>((*bucket)->put(key_of(0), std::to_string(n + 1)));
          static_cast<void>(tx->commit());
        }
      });
    }
  }
  Tx tx = must(db->begin_read());
  CHECK(get(bucket_of(tx, "key"), key_of(0)) == "200");
}

TEST_CASE("bolt threads: a transaction may end on another thread than it began on") {
  TempDir dir;
  auto db = open_db(dir.fs, dir.file("db"), {.no_sync = true});
  fill(*db, "key", 0, 1, "0");
  Tx writer = must(db->begin_write());
  Tx reader = must(db->begin_read());
  must(bucket_of(writer, "key").put("a", "b"));
  {
    Thread other("other", [&] {
      static_cast<void>(writer.commit());
      reader.rollback();
    });
  }
  Tx tx = must(db->begin_read());
  CHECK(get(bucket_of(tx, "key"), "a") == "b");
}

namespace {

/// A file of more than 4096 pages, some of them free, in buckets of their own and nested ones.
void make_large(TempDir& dir) {
  auto db = open_db(dir.fs, dir.file("db"), {.page_size = 1024, .no_sync = true});
  fill(*db, "key", 0, 4000, std::string(700, 'v'));
  fill(*db, "other", 0, 1500, std::string(700, 'w'));
  Tx tx = must(db->begin_write());
  for (int i = 0; i < 4000; i += 3) must(bucket_of(tx, "key").remove(key_of(i)));
  Bucket nested = must(bucket_of(tx, "other").create_bucket("nested"));
  for (int i = 0; i < 300; ++i) must(nested.put(key_of(i), std::string(2000, 'n')));
  must(tx.commit());
}

std::vector<std::string> faults_of(const Tx& tx, unsigned threads) {
  std::vector<std::string> out;
  check_state(tx.view(), tx.meta(), threads, [&](const std::string& f) { out.push_back(f); });
  return out;
}

}  // namespace

TEST_CASE("bolt threads: several threads find the faults that one finds, in its order") {
  TempDir dir;
  make_large(dir);
  std::vector<std::uint64_t> leaves;
  {
    auto db = open_db(dir.fs, dir.file("db"), {.read_only = true});
    Tx tx = must(db->begin_read());
    CHECK(faults_of(tx, 1).empty());
    CHECK(faults_of(tx, 4).empty());
    REQUIRE(tx.meta().high_water > 4096);
    const PageSet reached = must(reachable_pages(tx.view(), tx.meta()));
    for (std::uint64_t id = kFirstDataPage; id < tx.meta().high_water; ++id) {
      PageRef page;
      if (reached.contains(id) && tx.view().load(id, page) && page.leaf) leaves.push_back(id);
    }
  }
  for (const std::uint64_t page : {leaves[leaves.size() / 5], leaves[leaves.size() / 2]}) {
    const auto file = must(dir.fs.open(dir.file("db"), {.write = true}));
    must(file->pwrite(std::string(8, '\xff'), page * 1024));  // its number
  }
  auto db = open_db(dir.fs, dir.file("db"), {.read_only = true});
  Tx tx = must(db->begin_read());
  const auto alone = faults_of(tx, 1);
  CHECK(!alone.empty());
  CHECK(faults_of(tx, 4) == alone);
}

TEST_CASE("bolt threads: several threads find the free pages that one finds") {
  TempDir dir;
  make_large(dir);
  std::uint64_t free_pages = 0;
  for (const unsigned threads : {1U, 4U}) {
    auto db = open_db(dir.fs, dir.file("db"), {.no_sync = true, .walk_threads = threads});
    const std::uint64_t found = db->stats().free_pages;
    CHECK(found > 300);
    if (threads > 1) CHECK(found == free_pages);
    free_pages = found;
    check_sound(*db);
  }
}
