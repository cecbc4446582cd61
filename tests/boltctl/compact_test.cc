#include "truss/bolttool/compact.h"

#include "../bolt/exercise.h"
#include "support.h"
#include "truss/common/testing/sweep.h"
#include "truss/tool/exit_code.h"

using namespace truss;
using namespace truss::bolttool;
using namespace truss::bolttool::testing;
using bolt::testing::bucket_of;
using bolt::testing::fill;
using bolt::testing::key_of;
using bolt::testing::open_db;
using bolt::testing::pairs_of;
using truss::testing::SimFileSystem;

namespace {

using Content = std::map<std::string, std::map<std::string, std::string>>;

void read(const std::string& path, bolt::Bucket bucket, Content& out) {
  out[path + "#" + std::to_string(bucket.sequence())] = pairs_of(bucket);
  bolt::Cursor cursor = bucket.cursor();
  for (auto kv = must(cursor.first()); kv; kv = must(cursor.next())) {
    if (kv->is_bucket) read(path + "/" + std::string(kv->key), *must(bucket.bucket(kv->key)), out);
  }
}

/// All buckets and pairs, by the engine's own reader.
Content content_of(FileSystem& fs, const std::string& file) {
  auto db = open_db(fs, file, {.read_only = true});
  bolt::Tx tx = must(db->begin_read());
  Content out;
  bolt::Cursor top = tx.cursor();
  for (auto kv = must(top.first()); kv; kv = must(top.next())) {
    read(std::string(kv->key), bucket_of(tx, kv->key), out);
  }
  return out;
}

/// Random buckets in buckets, many free pages, some large values.
void make_file(FileSystem& fs, const std::string& path, std::uint64_t seed,
               const bolt::Options& options) {
  SeededRandom random(seed);
  auto db = open_db(fs, path, options);
  for (int round = 0; round < 12; ++round) {
    bolt::Tx tx = must(db->begin_write());
    bolt::Bucket b = must(tx.create_bucket_if_absent("b" + std::to_string(random.below(4))));
    for (int depth = 0; depth < 4 && random.below(2) == 0; ++depth) {
      b = must(b.create_bucket_if_absent("nested " + std::to_string(depth)));
    }
    must(b.set_sequence(random.below(100)));
    for (auto n = random.below(600); n > 0; --n) {
      const std::string key = "k" + key_of(static_cast<int>(random.below(2000)));
      if (random.below(3) == 0) {
        must(b.remove(key));
      } else {
        const auto size = random.below(60) == 0 ? random.below(20000) : random.below(100);
        must(b.put(key, std::string(size, 'v')));
      }
    }
    must(tx.commit());
  }
}

Ran compact_to(FileSystem& fs, std::vector<std::string> more) {
  std::vector<std::string> words = {"compact", "/db", "--to", "/new"};
  words.insert(words.end(), more.begin(), more.end());
  return run(fs, words);
}

}  // namespace

TEST_CASE("compact: random files, every page size and fill, keep all they hold and are sound") {
  std::uint64_t seed = 1;
  for (const std::uint32_t from : {1024, 4096, 65536}) {
    for (const char* to : {"0", "1024", "16384"}) {
      for (const char* share : {"0.1", "0.5", "0.9", "1"}) {
        CAPTURE(from);
        CAPTURE(to);
        CAPTURE(share);
        SimFileSystem fs;
        make_file(fs, "/db", seed++, {.page_size = from, .no_sync = true});
        const Ran ran = compact_to(fs, {"--page-size", to, "--fill", share});
        REQUIRE_MESSAGE(ran.code == 0, ran.err);
        CHECK(content_of(fs, "/new") == content_of(fs, "/db"));
        CHECK(run(fs, {"check", "/new"}).out == "OK\n");
        CHECK(bolt::testing::exercise(must(read_file(fs, "/new")), seed) == "");
      }
    }
  }
}

TEST_CASE("compact: empty files, and a freelist as asked for") {
  SimFileSystem fs;
  { auto db = open_db(fs, "/db"); }
  for (const char* form : {"synced", "unsynced"}) {
    REQUIRE(compact_to(fs, {"--freelist", form, "--force"}).code == 0);
    auto image = must(Image::open(fs, "/new", {}));
    CHECK((image.meta().freelist != bolt::kNoFreelist) == (std::string(form) == "synced"));
    CHECK(run(fs, {"check", "/new"}).out == "OK\n");
  }
}

TEST_CASE("compact: gives back free pages, in place, and keeps the original") {
  SimFileSystem fs;
  make_file(fs, "/db", 3, {});
  const Content before = content_of(fs, "/db");
  const std::string bytes = must(read_file(fs, "/db"));
  const Ran ran = run(fs, {"compact", "/db", "--in-place"});
  REQUIRE_MESSAGE(ran.code == 0, ran.err);
  CHECK(must(fs.stat("/db")).size < bytes.size());
  CHECK(content_of(fs, "/db") == before);
  CHECK(must(read_file(fs, "/db.original")) == bytes);
  CHECK(run(fs, {"compact", "/db", "--in-place"}).code == tool::kRefused);
  CHECK(run(fs, {"compact", "/db", "--in-place", "--discard-original"}).code == 0);
}

TEST_CASE("compact: refuses what it can't do rightly") {
  SimFileSystem fs;
  make_file(fs, "/db", 4, {});
  CHECK(run(fs, {"compact", "/db"}).code == tool::kRefused);
  CHECK(compact_to(fs, {"--page-size", "5000"}).code == tool::kUsage);
  CHECK(compact_to(fs, {"--fill", "2"}).code == tool::kUsage);
  {
    auto db = open_db(fs, "/db");
    const Ran ran = run(fs, {"compact", "/db", "--in-place"});
    CHECK(ran.code == tool::kRefused);
    CHECK(ran.err.find("in use") != std::string::npos);
  }
  CHECK(compact_to(fs, {}).code == 0);
  CHECK(compact_to(fs, {}).code == tool::kRefused);  // /new is there
  std::string image = must(read_file(fs, "/db"));
  const auto root = must(Image::open(fs, "/db", {})).meta().root;
  image[root * 4096 + 8] = 77;  // no type of page
  must(must(fs.open("/bad", {.write = true, .create = true}))->pwrite(image, 0));
  CHECK(run(fs, {"compact", "/bad", "--to", "/worse"}).code == tool::kCorruptInput);
  CHECK(!exists(fs, "/worse"));
  CHECK(!exists(fs, "/worse.boltctl-tmp"));
}

TEST_CASE("compact: a power cut at any instant leaves the old file or the new one, whole") {
  SimFileSystem fs;
  must(fs.make_dir("/d"));
  make_file(fs, "/d/db", 5, {});
  must(fs.sync_dir("/d"));
  must(fs.sync_dir("/"));
  const Content want = content_of(fs, "/d/db");
  const std::string old = must(read_file(fs, "/d/db"));
  std::uint64_t old_seen = 0, new_seen = 0;
  truss::testing::CrashSweep sweep({.seed = 9, .copies_per_point = 6},
                                   [&](SimFileSystem& disk) -> truss::testing::Verdict {
                                     if (!exists(disk, "/d/db")) return "the file is gone";
                                     const auto now = read_file(disk, "/d/db");
                                     if (!now) return "unreadable: " + now.error().message;
                                     (*now == old ? old_seen : new_seen) += 1;
                                     if (*now == old) return {};
                                     const Ran check = run(disk, {"check", "/d/db"});
                                     if (check.code != 0) return check.out + check.err;
                                     if (content_of(disk, "/d/db") != want) return "other content";
                                     return {};
                                   });
  sweep.attach(fs);
  const Ran ran = run(fs, {"compact", "/d/db", "--in-place"});
  sweep.crash_now(fs);
  truss::testing::CrashSweep::detach(fs);
  CHECK(ran.code == 0);
  CHECK_MESSAGE(sweep.failures() == 0, sweep.report());
  CHECK(old_seen > 0);
  CHECK(new_seen > 0);
  MESSAGE(sweep.crashes() << " crashes at " << sweep.points() << " points: " << old_seen
                          << " times the old file, " << new_seen << " times the new one");
}

TEST_CASE("compact: any failing call leaves the old file, or the new one, and says so") {
  truss::testing::FaultSweep sweep;
  std::string old;
  sweep.make_disk = [&] {
    auto disk = std::make_unique<SimFileSystem>();
    make_file(*disk, "/db", 6, {.no_sync = true});
    old = must(read_file(*disk, "/db"));
    return disk;
  };
  bool failed_run = false;
  sweep.run = [&](SimFileSystem& disk) -> truss::testing::Verdict {
    failed_run = run(disk, {"compact", "/db", "--in-place", "--discard-original"}).code != 0;
    return {};
  };
  sweep.check = [&](SimFileSystem& disk) -> truss::testing::Verdict {
    const auto now = read_file(disk, "/db");
    if (!now) return "unreadable";
    if (*now == old) return failed_run ? "" : "said to be done, but it is the old file";
    return run(disk, {"check", "/db"}).code == 0 ? "" : "a damaged file";
  };
  const auto outcome = sweep.sweep();
  CHECK_MESSAGE(outcome.failures == 0, outcome.report);
  CHECK(outcome.runs > 20);
}
