#include "truss/lease/lessor.h"

#include "fixture.h"

using namespace truss;
using namespace truss::mvcc;
using lease::Lessor;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Leasing : Fixture {
  explicit Leasing(lease::LessorOptions o = {}) : lessor_options(o) { start(); }
  void start() {
    lessor = std::make_unique<Lessor>(*backend, world.clock(), lessor_options);
    REQUIRE(lessor->restore());
    store->set_lease_links(lessor.get());
  }
  void restart() {
    reopen();
    start();
  }
  std::int64_t remaining(std::int64_t id) {
    return lessor->time_to_live(LeaseId{id}, false).value().remaining_ttl;
  }
  std::vector<std::string> keys(std::int64_t id) {
    return lessor->time_to_live(LeaseId{id}, true).value().keys;
  }

  lease::LessorOptions lessor_options;
  std::unique_ptr<Lessor> lessor;
};

using Ids = std::vector<LeaseId>;
using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("grant: effective TTL, limits, duplicates") {
  Leasing f;
  CHECK(f.lessor->grant(LeaseId{1}, 60).value() == 60);
  CHECK(f.lessor->grant(LeaseId{2}, -5).value() == 2);
  CHECK(f.lessor->grant(LeaseId{3}, lease::kMaxTtl).value() == lease::kMaxTtl);
  CHECK(errors::is(f.lessor->grant(LeaseId{4}, lease::kMaxTtl + 1).error(),
                   errors::lease_ttl_too_large()));
  CHECK(errors::is(f.lessor->grant(LeaseId{1}, 60).error(), errors::lease_exists()));
  CHECK(errors::is(f.lessor->grant(kNoLease, 60).error(), errors::lease_not_found()));
}

TEST_CASE("leases and their keys survive a restart") {
  Leasing f;
  REQUIRE(f.lessor->grant(LeaseId{0x1234}, 3600));
  REQUIRE(f.lessor->grant(LeaseId{5}, 60));
  f.put("b", "1", LeaseId{5});
  f.put("a", "1", LeaseId{5});
  f.put("c", "1", LeaseId{5});
  f.put("c", "2");  // detached
  f.put("d", "1", LeaseId{5});
  f.put("d", "1", LeaseId{0x1234});  // moved
  f.put("e", "1", LeaseId{5});
  f.del("e");
  CHECK(f.keys(5) == Strings{"a", "b"});
  f.restart();
  CHECK(f.keys(5) == Strings{"a", "b"});
  CHECK(f.keys(0x1234) == Strings{"d"});
  CHECK(f.lessor->time_to_live(LeaseId{0x1234}, false)->granted_ttl == 3600);
  CHECK(f.lessor->lease_of("a") == LeaseId{5});
}

TEST_CASE("revoke deletes the keys, sorted, in one revision with the record") {
  Leasing f;
  REQUIRE(f.lessor->grant(LeaseId{5}, 60));
  for (const char* key : {"c", "a", "b"}) f.put(key, "1", LeaseId{5});
  REQUIRE(f.lessor->revoke(LeaseId{5}, *f.store));
  CHECK(f.store->current_revision() == 5);
  CHECK(f.get({.key = kAll, .range_end = kAll}).count == 0);
  CHECK(f.revisions() == Strings{"2/0", "3/0", "4/0", "5/0 t", "5/1 t", "5/2 t"});
  CHECK(errors::is(f.lessor->revoke(LeaseId{5}, *f.store).error(), errors::lease_not_found()));
  REQUIRE(f.lessor->grant(LeaseId{6}, 60));
  REQUIRE(f.lessor->revoke(LeaseId{6}, *f.store));
  CHECK(f.store->current_revision() == 5);  // no keys, no revision
  f.restart();
  CHECK(f.lessor->leases().empty());
}

TEST_CASE("only the primary counts time") {
  Leasing f;
  REQUIRE(f.lessor->grant(LeaseId{5}, 10));
  CHECK(f.remaining(5) > 1'000'000'000);
  CHECK(errors::is(f.lessor->renew(LeaseId{5}).error(), errors::not_primary_lessor()));
  f.world.run_for(seconds(60));
  CHECK(f.lessor->take_expired().empty());
  f.lessor->promote(seconds(1));
  CHECK(f.remaining(5) == 11);
  f.world.run_for(milliseconds(1500));
  CHECK(f.remaining(5) == 9);
  CHECK(f.lessor->renew(LeaseId{5})->ttl == 10);
  CHECK(f.remaining(5) == 10);
  f.lessor->demote();
  CHECK(f.remaining(5) > 1'000'000'000);
  CHECK_FALSE(f.lessor->is_primary());
}

TEST_CASE("expired leases are handed out until revoked, every three seconds") {
  Leasing f;
  f.lessor->promote(seconds(0));
  REQUIRE(f.lessor->grant(LeaseId{5}, 2));
  REQUIRE(f.lessor->grant(LeaseId{6}, 60));
  f.world.run_for(milliseconds(1999));
  CHECK(f.lessor->take_expired().empty());
  f.world.run_for(milliseconds(2));
  CHECK(f.lessor->take_expired() == Ids{LeaseId{5}});
  CHECK(f.lessor->take_expired().empty());
  CHECK(f.lessor->time_to_live(LeaseId{5}, false)->expired);
  f.world.run_for(seconds(3));
  CHECK(f.lessor->take_expired() == Ids{LeaseId{5}});
  REQUIRE(f.lessor->revoke(LeaseId{5}, *f.store));
  f.world.run_for(seconds(4));
  CHECK(f.lessor->take_expired().empty());
}

TEST_CASE("a tick hands out at most its limit, soonest first") {
  Leasing f;
  f.lessor->promote(seconds(0));
  for (int i = 1; i <= 700; ++i) REQUIRE(f.lessor->grant(LeaseId{i}, 2));
  f.world.run_for(seconds(3));
  CHECK(f.lessor->take_expired().size() == 500);
  CHECK(f.lessor->take_expired().size() == 200);
}

TEST_CASE("a renewal of an expired lease waits for its revoke") {
  Leasing f;
  f.lessor->promote(seconds(0));
  REQUIRE(f.lessor->grant(LeaseId{5}, 2));
  f.world.run_for(seconds(3));
  CHECK(f.lessor->renew(LeaseId{5}).error().code == Code::kAborted);
  bool gone = false;
  f.lessor->when_gone(LeaseId{5}, [&] { gone = true; });
  CHECK_FALSE(gone);
  REQUIRE(f.lessor->revoke(LeaseId{5}, *f.store));
  CHECK(gone);
  CHECK(errors::is(f.lessor->renew(LeaseId{5}).error(), errors::lease_not_found()));
  REQUIRE(f.lessor->grant(LeaseId{6}, 2));
  f.world.run_for(seconds(3));
  gone = false;
  f.lessor->when_gone(LeaseId{6}, [&] { gone = true; });
  f.lessor->demote();
  CHECK(gone);
  f.lessor->when_gone(LeaseId{99}, [&] { gone = false; });
  CHECK_FALSE(gone);
}

TEST_CASE("leases are listed by expiry") {
  Leasing f;
  f.lessor->promote(seconds(0));
  REQUIRE(f.lessor->grant(LeaseId{1}, 60));
  REQUIRE(f.lessor->grant(LeaseId{2}, 10));
  REQUIRE(f.lessor->grant(LeaseId{3}, 30));
  CHECK(f.lessor->leases() == Ids{LeaseId{2}, LeaseId{3}, LeaseId{1}});
}

TEST_CASE("a new primary spreads a pile of expiries") {
  Leasing f;
  for (int i = 1; i <= 3000; ++i) REQUIRE(f.lessor->grant(LeaseId{i}, 5));
  f.lessor->promote(seconds(0));
  std::size_t taken = 0, most = 0;
  for (int second = 0; second < 30; ++second) {
    std::size_t now = 0;
    for (;;) {
      const Ids ids = f.lessor->take_expired();
      if (ids.empty()) break;
      for (const LeaseId id : ids) REQUIRE(f.lessor->revoke(id, *f.store));
      now += ids.size();
    }
    taken += now;
    most = std::max(most, now);
    f.world.run_for(seconds(1));
  }
  CHECK(taken == 3000);
  CHECK(most <= 1501);
}

TEST_CASE("checkpoints carry the remaining time over a change of primary") {
  lease::LessorOptions options;
  options.checkpoints = true;
  options.persist_checkpoints = true;
  Leasing f(options);
  f.lessor->promote(seconds(0));
  REQUIRE(f.lessor->grant(LeaseId{5}, 3600));
  REQUIRE(f.lessor->grant(LeaseId{6}, 100));  // shorter than the interval
  CHECK(f.lessor->due_checkpoints().empty());
  f.world.run_for(seconds(301));
  const auto due = f.lessor->due_checkpoints();
  REQUIRE(due.size() == 1);
  CHECK(due[0].id == LeaseId{5});
  CHECK(due[0].remaining_ttl == 3299);
  CHECK(f.lessor->due_checkpoints().empty());
  REQUIRE(f.lessor->checkpoint(due[0]));
  f.restart();
  f.lessor->promote(seconds(0));
  CHECK(f.remaining(5) == 3299);
  CHECK(f.remaining(6) == 100);
  const auto renewal = f.lessor->renew(LeaseId{5});
  CHECK(renewal->clear_checkpoint);
  CHECK(renewal->ttl == 3600);
  CHECK(f.remaining(5) == 3600);
  CHECK_FALSE(f.lessor->checkpoint({LeaseId{99}, 1}));
}
