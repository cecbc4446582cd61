#include <atomic>

#include "support.h"
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
