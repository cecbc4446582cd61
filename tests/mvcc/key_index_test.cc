#include "key_index.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::mvcc;

namespace {

std::optional<Revision> at(const KeyIndex& index, ByteView key, std::int64_t revision) {
  const KeyEntry* entry = index.find(key);
  const KeyEntry::Item* item = entry ? entry->live_at(revision) : nullptr;
  return item ? std::optional(item->revision()) : std::nullopt;
}

/// Put at 2, 4; deleted at 6; put at 8, 9.
KeyIndex two_lives() {
  KeyIndex index;
  index.put("k", {2, 0});
  index.put("k", {4, 1});
  index.tombstone("k", {6, 0});
  index.put("k", {8, 0});
  index.put("k", {9, 0});
  return index;
}

}  // namespace

TEST_CASE("a key is looked up at any revision of its history") {
  const KeyIndex index = two_lives();
  CHECK_FALSE(at(index, "k", 1));
  CHECK(at(index, "k", 2) == Revision{2, 0});
  CHECK(at(index, "k", 3) == Revision{2, 0});
  CHECK(at(index, "k", 5) == Revision{4, 1});
  CHECK_FALSE(at(index, "k", 6));
  CHECK_FALSE(at(index, "k", 7));
  CHECK(at(index, "k", 100) == Revision{9, 0});
  CHECK_FALSE(at(index, "kk", 100));
}

TEST_CASE("compaction keeps the newest of each live key") {
  KeyIndex index = two_lives();
  CHECK_FALSE(index.compact(5, false, "", 100));
  CHECK(index.find("k")->has({4, 1}));
  CHECK_FALSE(index.find("k")->has({2, 0}));
  CHECK_FALSE(index.compact(6, false, "", 100));
  CHECK_FALSE(index.find("k")->has({6, 0}));
  CHECK(index.find("k")->has({8, 0}));
  CHECK_FALSE(index.compact(9, false, "", 100));
  CHECK(at(index, "k", 9) == Revision{9, 0});
  CHECK(index.put("k", {10, 0}).version == 3);
}

TEST_CASE("compaction at a tombstone drops it, or keeps it by the newer rule") {
  for (const bool keep : {false, true}) {
    KeyIndex index = two_lives();
    CHECK_FALSE(index.compact(6, keep, "", 100));
    CHECK(index.find("k")->has({6, 0}) == keep);
    KeyIndex dead;
    dead.put("d", {2, 0});
    dead.tombstone("d", {3, 0});
    CHECK_FALSE(dead.compact(3, keep, "", 100));
    CHECK(dead.size() == (keep ? 1U : 0U));
    CHECK_FALSE(dead.compact(4, keep, "", 100));
    CHECK(dead.size() == 0);
  }
}

TEST_CASE("compaction in slices says where to go on") {
  KeyIndex index;
  for (int i = 0; i < 10; ++i) index.put("k" + std::to_string(i), {i + 2, 0});
  auto next = index.compact(20, false, "", 4);
  REQUIRE(next);
  CHECK(*next == "k4");
  next = index.compact(20, false, *next, 4);
  REQUIRE(next);
  CHECK(*next == "k8");
  CHECK_FALSE(index.compact(20, false, *next, 4));
}

TEST_CASE("keys may hold any bytes and any length") {
  KeyIndex index;
  const std::string keys[] = {std::string("\0", 1), std::string("\0a", 2),
                              std::string(5000, '\xff'), "\x80"};
  std::int64_t revision = 2;
  for (const std::string& key : keys) index.put(key, {revision++, 0});
  std::string previous;
  int seen = 0;
  index.visit({std::string_view("\0", 1), std::string_view("\0", 1)}, 100,
              [&](const KeyEntry& entry, const KeyEntry::Item&) {
                CHECK(previous < entry.key());
                previous = entry.key();
                ++seen;
              });
  CHECK(seen == 4);
}
