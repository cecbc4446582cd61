#include "live_key_counter.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

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
