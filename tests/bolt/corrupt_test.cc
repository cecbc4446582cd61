#include "exercise.h"
#include "support.h"
#include "truss/bolt/format.h"
#include "truss/common/coding.h"

using namespace truss;
using namespace truss::bolt;
using namespace truss::bolt::testing;

namespace {

/// A small file with branches, overflow, nested and inline buckets, and perhaps a freelist.
std::string small_image(bool unsynced) {
  truss::testing::SimFileSystem fs;
  {
    auto db =
        open_db(fs, "/db", {.no_freelist_sync = unsynced, .page_size = 1024, .no_grow_sync = true});
    fill(*db, "key", 0, 60, "some value of the key bucket");
    Tx tx = must(db->begin_write());
    must(must(tx.create_bucket("inline")).put("a", "1"));
    Bucket outer = must(tx.create_bucket("outer"));
    Bucket nested = must(outer.create_bucket("nested"));
    must(nested.put("large", std::string(2000, 'L')));
    must(outer.put("b", "2"));
    must(tx.commit());
  }
  return must(read_file(fs, "/db"));
}

Result<std::unique_ptr<DB>> open_image(truss::testing::SimFileSystem& fs, const std::string& image,
                                       Options options = {}) {
  must(must(fs.open("/db", {.write = true, .create = true}))->pwrite(image, 0));
  return DB::open(fs, "/db", options);
}

}  // namespace

TEST_CASE("bolt corrupt: each byte of a file changed in turn") {
  for (const bool unsynced : {true, false}) {
    const std::string image = small_image(unsynced);
    REQUIRE(exercise(image) == "");
    for (std::size_t i = 0; i < image.size(); ++i) {
      if (i % 1024 >= 400 && i % 16 != 0) continue;  // mostly keys and values, or unused
      const int flip = i % 2 == 0 ? 0x01 << (i / 2 % 8) : 0xFF;
      std::string damaged = image;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      const std::string wrong = exercise(damaged);
      REQUIRE_MESSAGE(wrong == "", "byte " << i << " ^ " << flip << ": " << wrong);
    }
  }
}

TEST_CASE("bolt corrupt: fields overwritten at random, many at once") {
  const std::string image = small_image(false);
  SeededRandom random(11);
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = image;
    for (std::uint64_t n = 1 + random.below(6); n > 0; --n) {
      const std::size_t page = 2 + random.below(image.size() / 1024 - 2);
      const std::size_t at = page * 1024 + 4 * random.below(40);
      const std::uint32_t small = static_cast<std::uint32_t>(random.below(20));
      store_le(damaged.data() + at,
               random.below(3) == 0 ? static_cast<std::uint32_t>(random.next()) : small);
    }
    const std::string wrong = exercise(damaged, static_cast<std::uint64_t>(round));
    REQUIRE_MESSAGE(wrong == "", "round " << round << ": " << wrong);
  }
}

TEST_CASE("bolt corrupt: a file cut at every length") {
  const std::string image = small_image(true);
  for (std::size_t size = 0; size < image.size(); size += size < 2200 ? 1 : 256) {
    REQUIRE(exercise(image.substr(0, size)) == "");
  }
}

TEST_CASE("bolt corrupt: an error names file, page and offset") {
  const std::string image = small_image(true);
  for (std::size_t page = 2; page < image.size() / 1024; ++page) {
    if (load_le<std::uint16_t>(image.data() + page * 1024 + 8) != kBranchFlag) continue;
    std::string damaged = image;
    store_le<std::uint64_t>(damaged.data() + page * 1024 + 16 + 8, page);  // its own child: a loop
    truss::testing::SimFileSystem fs;
    const auto db = open_image(fs, damaged);
    REQUIRE(!db);
    CHECK(db.error().code == Code::kCorruption);
    const std::string place =
        "bolt /db: page " + std::to_string(page) + " at offset " + std::to_string(page * 1024);
    CHECK(db.error().message.find(place) == 0);
    return;
  }
  FAIL("no branch page");
}

TEST_CASE("bolt corrupt: two branches that share all children end a walk") {
  // 40 levels of branches whose two elements lead to the same page: 2^40 ways down.
  constexpr std::size_t kLevels = 40, kPage = 1024;
  std::string image = small_image(true);
  const std::uint64_t first = image.size() / kPage;
  image.resize(image.size() + (kLevels + 1) * kPage);
  for (std::uint64_t level = 0; level <= kLevels; ++level) {
    char* p = image.data() + (first + level) * kPage;
    store_le<std::uint64_t>(p, first + level);
    store_le<std::uint16_t>(p + 8, level < kLevels ? kBranchFlag : kLeafFlag);
    if (level == kLevels) break;
    store_le<std::uint16_t>(p + 10, 2);
    for (int i = 0; i < 2; ++i) {
      char* e = p + 16 + 16 * i;
      store_le<std::uint32_t>(e, static_cast<std::uint32_t>(p + 100 + i - e));
      store_le<std::uint32_t>(e + 4, 1);
      store_le<std::uint64_t>(e + 8, first + level + 1);
      p[100 + i] = static_cast<char>('a' + i);
    }
  }
  for (std::size_t at = 2 * kPage; at < first * kPage; at += 4) {
    // Point the bucket "outer" (a header of root and sequence) at the first level.
    if (image.substr(at, 5) == "outer") store_le<std::uint64_t>(image.data() + at + 5, first);
  }
  for (std::size_t at = 0; at + 21 < first * kPage; ++at) {
    if (image.compare(at, 5, "outer") == 0) store_le<std::uint64_t>(image.data() + at + 5, first);
  }
  CHECK(exercise(image) == "");
  truss::testing::SimFileSystem fs;
  auto db = must(open_image(fs, image, {.read_only = true}));
  Tx tx = must(db->begin_read());
  Bucket b = bucket_of(tx, "outer");
  Cursor c = b.cursor();
  CHECK(c.first().error().code == Code::kCorruption);
  CHECK(c.next().error().code == Code::kFailedPrecondition);  // it has lost its place
  CHECK(c.last().error().code == Code::kCorruption);
  CHECK(c.prev().error().code == Code::kFailedPrecondition);
  CHECK(must(db->check([](const std::string&) {})) > 0);
}

TEST_CASE("bolt corrupt: a stored freelist that lists a page twice or its own is refused") {
  const std::string image = small_image(false);
  for (std::size_t page = 2; page < image.size() / 1024; ++page) {
    const char* p = image.data() + page * 1024;
    if (load_le<std::uint16_t>(p + 8) != kFreelistFlag) continue;
    const auto count = load_le<std::uint16_t>(p + 10);
    if (count < 2) continue;
    for (const std::uint64_t lie : {load_le<std::uint64_t>(p + 16), std::uint64_t{page},
                                    std::uint64_t{1}, std::uint64_t{1} << 40}) {
      std::string damaged = image;
      store_le<std::uint64_t>(damaged.data() + page * 1024 + 24, lie);
      truss::testing::SimFileSystem fs;
      const auto db = open_image(fs, damaged);
      // An old freelist page may still lie in the file: only the current one matters.
      if (!db) CHECK(db.error().code == Code::kCorruption);
    }
  }
}
