#include "log.h"

#include <doctest/doctest.h>

#include "cluster.h"
#include "truss/raft/codec.h"

using namespace truss::raft;

namespace {

/// Storage with entries 1..3 (terms 1 1 2), and 4..6 (terms 2 3 3) still unstable.
struct Sample {
  Sample() {
    const Entry stored[] = {entry(1, 1, "a"), entry(1, 2, "b"), entry(2, 3, "c")};
    storage.append(stored);
    log.emplace(storage, kNoLimit);
    Entry tail[] = {entry(2, 4, "d"), entry(3, 5, "e"), entry(3, 6, "f")};
    log->append(tail);
  }
  std::vector<std::uint64_t> slice(std::uint64_t lo, std::uint64_t hi, std::uint64_t max) {
    std::vector<Entry> out;
    REQUIRE(log->slice(Index{lo}, Index{hi}, max, out).has_value());
    std::vector<std::uint64_t> indexes;
    for (const Entry& e : out) indexes.push_back(e.index.value());
    return indexes;
  }
  MemoryStorage storage;
  std::optional<Log> log;
};

using Indexes = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("stored and unstable entries read as one log") {
  Sample s;
  CHECK(s.log->first_index() == Index{1});
  CHECK(s.log->last_index() == Index{6});
  CHECK(s.log->last_term() == Term{3});
  CHECK(*s.log->term(Index{0}) == Term{0});
  CHECK(*s.log->term(Index{3}) == Term{2});
  CHECK(*s.log->term(Index{4}) == Term{2});
  CHECK(s.log->term(Index{7}).error() == StorageError::kUnavailable);
  CHECK(s.slice(2, 6, kNoLimit) == Indexes{2, 3, 4, 5});
}

TEST_CASE("a size limit counts across the border, and lets one entry through") {
  Sample s;
  const std::uint64_t one = encoded_size(entry(1, 1, "a"));
  CHECK(s.slice(2, 7, 0) == Indexes{2});
  CHECK(s.slice(2, 7, 3 * one) == Indexes{2, 3, 4});
  CHECK(s.slice(2, 7, 3 * one - 1) == Indexes{2, 3});
  CHECK(s.slice(3, 7, one) == Indexes{3});
  CHECK(s.slice(5, 7, 2 * one) == Indexes{5, 6});
}

TEST_CASE("walking back stops at the first term that is not above the given one") {
  Sample s;
  CHECK(s.log->walk_back(Index{6}, Term{3}).index == Index{6});
  CHECK(s.log->walk_back(Index{6}, Term{2}).index == Index{4});
  CHECK(s.log->walk_back(Index{6}, Term{1}).index == Index{2});
  CHECK(s.log->walk_back(Index{6}, Term{0}).index == Index{0});
  CHECK(s.storage.compact(Index{3}).has_value());
  const EntryId unknown = s.log->walk_back(Index{2}, Term{1});
  CHECK(unknown.index == Index{2});
  CHECK(unknown.term == Term{0});
}

TEST_CASE("a log is at least as up to date by last term, then by length") {
  Sample s;
  CHECK(s.log->is_up_to_date({Index{6}, Term{3}}));
  CHECK(s.log->is_up_to_date({Index{1}, Term{4}}));
  CHECK_FALSE(s.log->is_up_to_date({Index{5}, Term{3}}));
  CHECK_FALSE(s.log->is_up_to_date({Index{9}, Term{2}}));
}

TEST_CASE("only a real conflict cuts the log, and what replaces a handed-out entry is handed out") {
  Sample s;
  s.log->accept_unstable();
  Entry same[] = {entry(2, 4, "d"), entry(3, 5, "e")};
  CHECK(s.log->try_append(Index{3}, Term{2}, Index{0}, same));
  CHECK(s.log->last_index() == Index{6});
  CHECK_FALSE(s.log->unstable().has_next());
  Entry conflict[] = {entry(3, 5, "e"), entry(4, 6, "g")};
  CHECK(s.log->try_append(Index{4}, Term{2}, Index{5}, conflict));
  CHECK(s.log->unstable().in_progress() == Index{6});
  CHECK(s.log->committed() == Index{5});
  Entry far_back[] = {entry(4, 6, "h")};
  CHECK_FALSE(s.log->try_append(Index{5}, Term{9}, Index{0}, far_back));
}

TEST_CASE("entries are stable only by index and term") {
  Sample s;
  s.log->stable_to(Index{5}, Term{2});  // another entry 5
  CHECK(s.log->unstable().offset() == Index{4});
  s.log->stable_to(Index{5}, Term{3});
  CHECK(s.log->unstable().offset() == Index{6});
  s.log->stable_to(Index{3}, Term{2});  // long since
  CHECK(s.log->unstable().offset() == Index{6});
}

TEST_CASE("committed entries are handed out once; unstable ones only where allowed") {
  Sample s;
  s.log->commit_to(Index{5});
  std::vector<Entry> out;
  s.log->next_committed(false, out);
  CHECK(out.size() == 3);
  s.log->next_committed(true, out);
  CHECK(out.size() == 5);
  s.log->accept_applying(Index{5}, 100, true);
  CHECK_FALSE(s.log->has_committed(true));
  s.log->applied_to(Index{5}, 100);
  CHECK(s.log->applied() == Index{5});
}

TEST_CASE("a restored snapshot replaces the log and holds back everything until it is stored") {
  Sample s;
  Snapshot snapshot;
  snapshot.metadata.index = Index{20};
  snapshot.metadata.term = Term{7};
  s.log->restore(snapshot);
  CHECK(s.log->first_index() == Index{21});
  CHECK(s.log->last_index() == Index{20});
  CHECK(s.log->last_term() == Term{7});
  CHECK_FALSE(s.log->has_committed(true));
  CHECK(s.log->unstable().has_next_snapshot());
  s.log->accept_unstable();
  CHECK_FALSE(s.log->unstable().has_next_snapshot());
  s.log->stable_snapshot_to(Index{19});
  CHECK(s.log->has_pending_snapshot());
  CHECK(s.storage.apply_snapshot(snapshot).has_value());
  s.log->stable_snapshot_to(Index{20});
  CHECK_FALSE(s.log->has_pending_snapshot());
}
