#include "live_key_counter.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "compacted_keys.h"
#include "small_db.h"
#include "truss/snaptool/status.h"
#include "truss/test_support/temp_dir.h"

using truss::snaptool::LiveKeyCounter;

TEST_CASE("live keys are counted alike however few are remembered at a time") {
  std::mt19937 random(7);
  std::vector<std::pair<std::string, bool>> history;
  std::set<std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = "key/" + std::to_string(random() % 3000);
    const bool put = random() % 3 != 0;
    history.emplace_back(key, put);
    put ? void(model.insert(key)) : void(model.erase(key));
  }
  for (const std::size_t limit : {1u, 10u, 1000u, 100'000u}) {
    LiveKeyCounter counter(limit);
    int passes = 0;
    do {
      ++passes;
      for (const auto& [key, put] : history) put ? counter.put(key) : counter.remove(key);
    } while (counter.again());
    CHECK(counter.count() == model.size());
    CHECK((passes == 1) == (limit == 100'000u));
  }
}

TEST_CASE("live keys of a db that says its compaction has finished, and lies") {
  using namespace truss::snaptool;
  using truss::snaptool_test::Change;
  truss::PosixFileSystem disk;
  truss::test_support::TempDir dir;
  const auto alive = [&](const std::vector<Change>& history, std::int64_t compacted) {
    truss::snaptool_test::write_db(dir / "db", history, compacted);
    const Status status = read_status(disk, dir / "db", {.threads = 2}).value();
    REQUIRE(disk.remove(dir / "db").has_value());
    return status.live_keys;
  };
  // Nothing is removed: a key overwritten below the compacted revision, one deleted, one created
  // anew after that.
  CHECK(alive({{2, 0, "a", "1"}, {3, 0, "a", "2"}, {4, 0, "b", "1"}}, 4) == 2);
  CHECK(alive({{2, 0, "a", "1"}, {3, 0, "a", {}}, {4, 0, "b", "1"}}, 4) == 1);
  CHECK(alive({{2, 0, "a", "1"}, {3, 0, "a", {}}, {4, 0, "a", "1"}, {5, 0, "a", "2"}}, 4) == 1);
  CHECK(alive({{2, 0, "a", "1"}, {3, 0, "b", "1"}, {4, 0, "a", {}}}, 3) == 1);
  CHECK(alive(truss::snaptool_test::known_history(), 1) ==
        alive(truss::snaptool_test::known_history(), 7));
}

TEST_CASE("a key met twice is noticed among as many as are remembered") {
  for (const std::size_t limit : {16u, 1000u, 100'000u}) {
    truss::snaptool::CompactedKeys keys(limit);
    for (int i = 0; i < 5000; ++i) keys.put("key/" + std::to_string(i));
    CHECK_FALSE(keys.doubt());
    for (int i = 0; i < 5000; ++i) keys.put("key/" + std::to_string(i));
    CHECK(keys.doubt());
  }
}

TEST_CASE("keys that differ in one bit or in length have different fingerprints") {
  std::set<truss::snaptool::Fingerprint> seen;
  std::size_t made = 0;
  for (std::size_t size = 0; size < 40; ++size) {
    std::string key(size, '\0');
    seen.insert(truss::snaptool::fingerprint(key));
    ++made;
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      std::string other = key;
      other[bit / 8] = static_cast<char>(1u << (bit % 8));
      seen.insert(truss::snaptool::fingerprint(other));
      ++made;
    }
  }
  CHECK(seen.size() == made);
}
