#include "truss/mvcc/record_scout.h"

#include "fixture.h"
#include "record_scout_impl.h"
#include "truss/bolt/walk.h"
#include "truss/common/coding.h"
#include "truss/common/random.h"

/// A database whose index is built while it comes in.
using namespace truss;
using namespace truss::mvcc;

namespace {

constexpr std::size_t kPage = 4096;

/// A history with old pages in its file: overwritten, deleted, compacted, in small and large
/// values.
void live(Fixture& leader, SeededRandom& random) {
  for (int i = 0; i < 1500; ++i) {
    const std::string key = "k" + std::to_string(random.below(400));
    if (random.below(8) == 0) {
      leader.del(key);
    } else {
      leader.put(key, std::string(random.below(i % 50 == 0 ? 30'000 : 900), 'v'));
    }
    if (i % 100 == 0) leader.backend->force_commit();
    if (i == 700 || i == 1300) leader.compact(leader.store->current_revision() - 50);
  }
  leader.backend->force_commit();
}

struct Image {
  explicit Image(Fixture& leader) : bytes(read_file(leader.disk, "/data/db").value()) {}
  void store(Fixture& member) const {
    const auto file = member.disk.open("/data/received", {.write = true, .create = true}).value();
    REQUIRE(file->pwrite(bytes, 0));
    REQUIRE(file->sync());
    REQUIRE(member.disk.sync_dir("/data"));
  }
  std::string bytes;
};

std::vector<RecordScout::Range> show(RecordScout& scout, ByteView bytes, std::size_t piece) {
  std::vector<RecordScout::Range> out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto ranges = scout.take(at, bytes.substr(at, piece));
    out.insert(out.end(), ranges.begin(), ranges.end());
  }
  return out;
}

void install(Fixture& member, std::shared_ptr<RecordScout> scout) {
  bool installed = false;
  member.store->install(
      "/data/received", [&] { installed = true; }, std::move(scout));
  REQUIRE(member.world.run_until([&] { return installed; }));
}

/// A lie in the head of a page, or in its elements, or a page in place of another.
void damage(std::string& bytes, SeededRandom& random) {
  const std::size_t pages = bytes.size() / kPage;
  const std::size_t page = (2 + random.below(pages - 2)) * kPage;
  switch (random.below(4)) {
    case 0:
      bytes[page + random.below(16)] = static_cast<char>(random.below(4));
      return;
    case 1:
      bytes[page + 16 + random.below(64)] = static_cast<char>(random.next());
      return;
    case 2:  // one more or less overflow page
      store_le<std::uint32_t>(&bytes[page + 12], static_cast<std::uint32_t>(random.below(3)));
      return;
    default:
      bytes.replace(page, kPage, bytes, (2 + random.below(pages - 2)) * kPage, kPage);
      store_le<std::uint64_t>(&bytes[page], page / kPage);
  }
}

std::vector<std::uint64_t> pages_of(const bolt::PageSet& set) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t id = 0; id < set.limit(); ++id) {
    if (set.contains(id)) out.push_back(id);
  }
  return out;
}

void check_same(Fixture& member, Fixture& leader) {
  CHECK(member.store->index_size() == leader.store->index_size());
  CHECK(member.store->live_keys() == leader.store->live_keys());
  const RangeRequest all{.key = kAll, .range_end = kAll};
  CHECK(member.pairs(all) == leader.pairs(all));
  RangeRequest old = all;
  old.revision = leader.store->current_revision() - 20;
  CHECK(member.pairs(old) == leader.pairs(old));
  CHECK(member.backend->in_use_bytes() == leader.backend->in_use_bytes());
  CHECK(member.store->hash_kv(0)->hash == leader.store->hash_kv(0)->hash);
  CHECK(member.put("k1", "after") == leader.put("k1", "after"));
  CHECK(member.get({.key = "k1"}).kvs.front()->version ==
        leader.get({.key = "k1"}).kvs.front()->version);
}

}  // namespace

TEST_CASE("an index begun while the database came in is that of the whole database") {
  SeededRandom random(5);
  Fixture leader;
  live(leader, random);
  const Image image(leader);
  for (const std::size_t piece : {kPage, 16 * kPage, std::size_t{1} << 20, std::size_t{10'000}}) {
    CAPTURE(piece);
    Fixture original;  // what the leader's file holds
    image.store(original);
    install(original, nullptr);
    Fixture member;
    image.store(member);
    auto scout = std::make_shared<RecordScout>();
    show(*scout, image.bytes, piece);
    if (piece % kPage == 0) CHECK(scout->size() > 300);
    install(member, scout);
    check_same(member, original);
  }
}

TEST_CASE("nothing is read of a page that was noted") {
  SeededRandom random(6);
  Fixture leader;
  live(leader, random);
  Image image(leader);
  auto scout = std::make_shared<RecordScout>();
  const auto ranges = show(*scout, image.bytes, 64 * kPage);
  std::string rest(image.bytes.size(), '\0');
  const auto copy = [&](std::uint64_t offset, std::uint64_t length) {
    rest.replace(offset, length, image.bytes, offset, length);
  };
  std::uint64_t kept = 0;
  for (const auto& range : ranges) {
    copy(range.offset, range.length);
    kept += range.length;
  }
  CHECK(kept < image.bytes.size() / 2);
  Fixture original;
  image.store(original);
  install(original, nullptr);
  image.bytes = rest;
  Fixture member;
  image.store(member);
  install(member, scout);
  CHECK(member.store->index_size() == leader.store->index_size());
  CHECK(member.store->live_keys() == leader.store->live_keys());
  CHECK(member.store->current_revision() == leader.store->current_revision());
  CHECK(member.backend->in_use_bytes() == original.backend->in_use_bytes());
}

TEST_CASE("a scout whose notes are full, or that sees no database, leaves the rest to be read") {
  SeededRandom random(7);
  Fixture leader;
  live(leader, random);
  const Image image(leader);
  Fixture original;
  image.store(original);
  install(original, nullptr);
  Fixture member;
  image.store(member);
  auto scout = std::make_shared<RecordScout>(10'000);
  show(*scout, image.bytes, 16 * kPage);
  CHECK(scout->size() > 0);
  CHECK(scout->size() < 300);
  install(member, scout);
  check_same(member, original);

  RecordScout blind;
  const auto ranges = blind.take(0, std::string(50'000, 'x'));
  REQUIRE(ranges.size() == 1);
  CHECK(ranges.front().length == 50'000);
  CHECK(blind.size() == 0);
}

TEST_CASE("the search for free pages finds the same with the leaves a scout has seen, or fails") {
  SeededRandom random(9);
  Fixture leader;
  live(leader, random);
  const Image image(leader);
  int sound = 0;
  for (int round = 0; round < 150; ++round) {
    Image damaged = image;
    for (int i = 0; i < round % 5; ++i) damage(damaged.bytes, random);
    RecordScout scout;
    show(scout, damaged.bytes, 16 * kPage);
    Fixture member;
    damaged.store(member);
    const auto db = bolt::DB::open(member.disk, "/data/received", {.read_only = true}, nullptr);
    REQUIRE(db);
    const auto tx = db.value()->begin_read();
    REQUIRE(tx);
    const auto read = bolt::reachable_pages(tx->view(), tx->meta());
    for (const unsigned threads : {1U, 3U}) {
      const auto told = bolt::reachable_pages(tx->view(), tx->meta(), threads, &scout.impl());
      REQUIRE(told.has_value() == read.has_value());
      if (read) CHECK(pages_of(*told) == pages_of(*read));
    }
    if (read) ++sound;
  }
  CHECK(sound > 30);
  CHECK(sound < 150);
}

TEST_CASE("pages that lie are not noted, and do no harm") {
  SeededRandom random(8);
  Fixture leader;
  live(leader, random);
  const Image image(leader);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = image.bytes;
    for (int i = 0; i < 200; ++i) {
      bytes[2 * kPage + random.below(bytes.size() - 2 * kPage)] = static_cast<char>(random.next());
    }
    RecordScout scout;
    show(scout, bytes, 16 * kPage);
  }
}
