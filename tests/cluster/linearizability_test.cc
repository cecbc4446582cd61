#include "linearizability.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "register_search.h"
#include "simulated_register.h"

namespace truss::cluster {
namespace {

std::string complaint(const History& history) { return check_linearizable(history).complaint; }

/// A store with a past of concurrent clients, no two planted faults alike.
SimulatedRegister with_past(std::uint64_t seed, bool tell_revisions) {
  SimulatedRegister store({.seed = seed, .tell_revisions = tell_revisions});
  store.run();
  return store;
}

/// Runs `plant` on many stores, half of them without revisions; every history must be refused.
template <class Plant>
void must_refuse(Plant plant) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    SimulatedRegister store = with_past(seed, seed % 2 == 0);
    REQUIRE(complaint(store.history()) == "");
    plant(store);
    CHECK(complaint(store.history()) != "");
  }
}

TEST_CASE("histories of a right store are accepted") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    SimulationOptions options{.seed = seed};
    options.clients = 1 + static_cast<int>(seed % 9);
    options.keys = 1 + static_cast<int>(seed % 3);
    options.unknown_percent = static_cast<int>(seed % 5) * 5;
    options.tell_revisions = seed % 2 == 0;
    SimulatedRegister store(options);
    store.run();
    CHECK(complaint(store.history()) == "");
  }
}

TEST_CASE("a write that was acknowledged and lost is refused") {
  must_refuse([](SimulatedRegister& store) {
    store.alone(Kind::kPut, "k0", "kept");
    store.alone(Kind::kPut, "k0", "lost", false);
    store.alone(Kind::kGet, "k0");
  });
}

TEST_CASE("a delete that was acknowledged and lost is refused") {
  must_refuse([](SimulatedRegister& store) {
    store.alone(Kind::kPut, "k0", "kept");
    store.alone(Kind::kRemove, "k0", {}, false);
    store.alone(Kind::kGet, "k0");
  });
}

TEST_CASE("a stale read is refused") {
  must_refuse([](SimulatedRegister& store) {
    store.alone(Kind::kPut, "k0", "old");
    const Operation old = store.alone(Kind::kGet, "k0");
    store.alone(Kind::kPut, "k0", "new");
    Operation& stale = store.alone(Kind::kGet, "k0");
    stale.read = old.read;
    stale.revision = old.revision;
  });
}

TEST_CASE("a write that takes effect twice is refused") {
  must_refuse([](SimulatedRegister& store) {
    const Operation first = store.alone(Kind::kPut, "k0", "first");
    store.alone(Kind::kPut, "k0", "second");
    store.apply_again(first);
    store.alone(Kind::kGet, "k0");
  });
}

TEST_CASE("writes that take effect against real time are refused") {
  must_refuse([](SimulatedRegister& store) {
    const Operation late = store.alone(Kind::kPut, "k0", "first", false);
    store.alone(Kind::kPut, "k0", "second");
    store.apply_again(late);
    store.alone(Kind::kGet, "k0");
  });
}

TEST_CASE("a compare-and-swap that succeeds on a value long gone is refused") {
  must_refuse([](SimulatedRegister& store) {
    store.alone(Kind::kPut, "k0", "old");
    store.alone(Kind::kPut, "k0", "new");
    Operation& swap = store.alone(Kind::kSwap, "k0", "swapped");
    swap.expected = "old";
    swap.applied = true;
    swap.read.reset();
  });
}

TEST_CASE("a value that nobody wrote is refused") {
  must_refuse(
      [](SimulatedRegister& store) { store.alone(Kind::kGet, "k0").read = "from nowhere"; });
}

TEST_CASE("revisions show what values hide: the same write done twice, and swapped keys") {
  SimulatedRegister twice({.keys = 1, .operations = 0});
  const Operation first = twice.alone(Kind::kPut, "k0", "v");
  twice.apply_again(first);
  twice.alone(Kind::kGet, "k0");
  CHECK(complaint(twice.history()) != "");

  SimulatedRegister keys({.keys = 2, .operations = 0});
  keys.alone(Kind::kPut, "k0", "a").revision = 3;
  keys.alone(Kind::kPut, "k1", "b").revision = 2;
  CHECK(complaint(keys.history()).starts_with("revisions against real time"));
  keys.history()[1].revision = 3;
  CHECK(complaint(keys.history()).starts_with("a revision given twice"));
}

TEST_CASE("an unanswered write may show late, once, or never") {
  SimulatedRegister store({.keys = 1, .operations = 0, .tell_revisions = false});
  Operation lost = store.alone(Kind::kPut, "k0", "maybe", false);
  store.history().back().outcome = Outcome::kUnknown;
  CHECK(complaint(store.history()) == "");
  store.alone(Kind::kPut, "k0", "sure");
  CHECK_FALSE(store.alone(Kind::kGet, "k0").read == "maybe");
  CHECK(complaint(store.history()) == "");
  store.apply_again(lost);
  CHECK(store.alone(Kind::kGet, "k0").read == "maybe");
  CHECK(complaint(store.history()) == "");
  store.alone(Kind::kPut, "k0", "after");
  CHECK(complaint(store.history()) == "");
  store.apply_again(lost);
  store.alone(Kind::kGet, "k0");
  CHECK(complaint(store.history()) != "");
}

TEST_CASE(
    "operations that touch may go either way, and the complaint names the one without place") {
  SimulatedRegister store({.keys = 1, .operations = 0});
  store.alone(Kind::kPut, "k0", "a");
  store.alone(Kind::kGet, "k0").read = std::nullopt;
  History touching = store.history();
  touching[1].start_ns = touching[0].end_ns;
  touching[1].revision = 0;
  CHECK(complaint(touching) == "");
  CHECK(complaint(store.history()).find("get k0: read absent") != std::string::npos);
}

/// The definition itself: every order of every subset that holds all answered operations.
bool by_brute_force(const std::vector<const Operation*>& all, std::vector<bool>& placed,
                    const Register& state) {
  bool finished = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!placed[i] && all[i]->outcome == Outcome::kOk) finished = false;
  }
  if (finished) return true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (placed[i]) continue;
    bool after_another = false;
    for (std::size_t j = 0; j < all.size(); ++j) {
      after_another = after_another || (!placed[j] && all[j]->outcome == Outcome::kOk &&
                                        all[j]->end_ns < all[i]->start_ns);
    }
    if (after_another) continue;
    Register before = state;
    before.unseen = false;  // the search's own short cut must not decide here
    const auto next = apply(*all[i], before);
    if (!next) continue;
    placed[i] = true;
    if (by_brute_force(all, placed, *next)) return true;
    placed[i] = false;
  }
  return false;
}

TEST_CASE("small histories with random answers: the search agrees with the definition") {
  int accepted = 0;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    SimulationOptions options{.seed = seed, .clients = 3, .keys = 1, .operations = 6};
    options.unknown_percent = 20;
    options.tell_revisions = seed % 3 == 0;
    SimulatedRegister store(options);
    store.run();
    SeededRandom random(seed);
    Operation& altered = store.history()[random.below(store.history().size())];
    if (altered.kind == Kind::kGet) altered.read = std::to_string(random.below(4));
    if (altered.kind == Kind::kRemove) altered.applied = !altered.applied;
    if (altered.kind == Kind::kPut) altered.argument = std::to_string(random.below(4));
    altered.revision = 0;
    std::vector<const Operation*> all;
    for (const Operation& op : store.history()) all.push_back(&op);
    std::vector<bool> placed(all.size());
    const bool expected = by_brute_force(all, placed, {});
    CAPTURE(seed);
    CHECK(RegisterSearch(all, 100'000).run().empty() == expected);
    accepted += expected;
  }
  CHECK(accepted > 400);
  CHECK(accepted < 3600);
}

TEST_CASE("a history is the same after it was written and read") {
  SimulatedRegister store = with_past(7, true);
  store.history()[0].key = std::string("tab\t\0\n", 6);
  for (const Operation& op : store.history()) {
    const auto again = parse_line(to_line(op));
    REQUIRE(again);
    CHECK(*again == op);
  }
  CHECK_FALSE(parse_line("1\tput\tok"));
  CHECK_FALSE(parse_line(to_line(store.history()[1]) + "\tmore"));
}

}  // namespace
}  // namespace truss::cluster
