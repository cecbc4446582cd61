#include "truss/raft/storage.h"

#include <doctest/doctest.h>

#include "cluster.h"
#include "truss/raft/codec.h"
#include "truss/raft/config.h"

using namespace truss::raft;

namespace {

/// Entries 4..7 behind a snapshot at 3, term = index / 2.
MemoryStorage sample() {
  MemoryStorage storage;
  Snapshot snapshot;
  snapshot.metadata.index = Index{3};
  snapshot.metadata.term = Term{1};
  REQUIRE(storage.apply_snapshot(snapshot).has_value());
  const Entry entries[] = {entry(2, 4, "a"), entry(2, 5, "b"), entry(3, 6, "c"), entry(3, 7, "d")};
  storage.append(entries);
  return storage;
}

std::vector<Entry> read(const MemoryStorage& storage, std::uint64_t lo, std::uint64_t hi,
                        std::uint64_t max_bytes = kNoLimit) {
  std::vector<Entry> out;
  REQUIRE(storage.entries(Index{lo}, Index{hi}, max_bytes, out).has_value());
  return out;
}

}  // namespace

TEST_CASE("terms are known from the entry before the first one to the last") {
  const MemoryStorage storage = sample();
  CHECK(storage.first_index() == Index{4});
  CHECK(storage.last_index() == Index{7});
  CHECK(storage.term(Index{2}).error() == StorageError::kCompacted);
  CHECK(*storage.term(Index{3}) == Term{1});
  CHECK(*storage.term(Index{7}) == Term{3});
  CHECK(storage.term(Index{8}).error() == StorageError::kUnavailable);
}

TEST_CASE("a page of entries is limited by encoded size but never empty") {
  const MemoryStorage storage = sample();
  const std::uint64_t one = encoded_size(entry(2, 4, "a"));
  CHECK(read(storage, 4, 8).size() == 4);
  CHECK(read(storage, 4, 8, 0).size() == 1);
  CHECK(read(storage, 4, 8, 2 * one - 1).size() == 1);
  CHECK(read(storage, 4, 8, 2 * one).size() == 2);
  std::vector<Entry> out;
  CHECK(storage.entries(Index{3}, Index{5}, kNoLimit, out).error() == StorageError::kCompacted);
  CHECK(storage.entries(Index{5}, Index{9}, kNoLimit, out).error() == StorageError::kUnavailable);
}

TEST_CASE("appending replaces the end, and skips what is compacted") {
  MemoryStorage storage = sample();
  const Entry over[] = {entry(4, 5, "x")};
  storage.append(over);
  CHECK(storage.last_index() == Index{5});
  CHECK(*storage.term(Index{5}) == Term{4});
  const Entry across[] = {entry(1, 2, "old"), entry(1, 3, "old"), entry(5, 4, "y")};
  storage.append(across);
  CHECK(storage.last_index() == Index{4});
  CHECK(*storage.term(Index{4}) == Term{5});
}

TEST_CASE("compaction drops entries and keeps the last term; snapshots do not move back") {
  MemoryStorage storage = sample();
  CHECK(storage.create_snapshot(Index{6}, {}, bytes("state")).has_value());
  CHECK(storage.create_snapshot(Index{6}, {}, {}).error() == StorageError::kSnapshotOutOfDate);
  CHECK(storage.create_snapshot(Index{9}, {}, {}).error() == StorageError::kUnavailable);
  CHECK(storage.first_index() == Index{4});
  CHECK(storage.compact(Index{5}).has_value());
  CHECK(storage.compact(Index{5}).error() == StorageError::kCompacted);
  CHECK(storage.compact(Index{8}).error() == StorageError::kUnavailable);
  CHECK(storage.first_index() == Index{6});
  CHECK(*storage.term(Index{5}) == Term{2});
  CHECK(read(storage, 6, 8).front().data == bytes("c"));
  CHECK(storage.apply_snapshot(*storage.snapshot()).error() == StorageError::kSnapshotOutOfDate);
}

TEST_CASE("a ring of entries equals a plain vector") {
  truss::SeededRandom random(5);
  EntryRing ring;
  std::vector<std::uint64_t> plain;
  std::uint64_t next = 1;
  for (int i = 0; i < 20000; ++i) {
    switch (random.below(4)) {
      case 0:
      case 1:
        ring.push_back(entry(1, next));
        plain.push_back(next++);
        break;
      case 2: {
        const std::size_t count = random.below(plain.size() + 1);
        ring.pop_front(count / 4);
        plain.erase(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(count / 4));
        break;
      }
      default: {
        const std::size_t keep = plain.size() - random.below(plain.size() / 8 + 1);
        ring.truncate(keep);
        plain.resize(keep);
      }
    }
    REQUIRE(ring.size() == plain.size());
    if (plain.empty()) continue;
    const std::size_t at = random.below(plain.size());
    REQUIRE(ring[at].index == Index{plain[at]});
    REQUIRE(ring.back().index == Index{plain.back()});
  }
}
