// raft_elections [ELECTIONS]: how long a healthy quorum is without a leader, in election time-outs:
// etcd's rules (old) against Config::brisk_elections (new), ELECTIONS (1000) of each kind.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "elections.h"

namespace truss::raft {
namespace {

struct Row {
  std::string name;
  ElectionSetup setup;
};

void print_row(const std::string& name, const char* rules, std::vector<ElectionResult> results) {
  std::sort(results.begin(), results.end(),
            [](const auto& a, const auto& b) { return a.timeouts < b.timeouts; });
  const auto at = [&](double share) {
    const auto last = static_cast<double>(results.size() - 1);
    return results[static_cast<std::size_t>(share * last)].timeouts;
  };
  std::size_t late = 0;
  std::size_t lost = 0;
  for (const ElectionResult& r : results) {
    late += r.timeouts > 3 ? 1 : 0;
    lost += r.terms_lost;
  }
  const auto n = static_cast<double>(results.size());
  std::printf("%-46s %-5s %6.2f %6.2f %6.2f %6.2f %6.2f   %6.2f %%  %5.2f\n", name.c_str(), rules,
              at(0.5), at(0.9), at(0.99), at(0.999), at(1), 100 * static_cast<double>(late) / n,
              static_cast<double>(lost) / n);
  std::fflush(stdout);
}

void compare(const Row& row, std::uint64_t elections) {
  for (std::size_t b = 0; b < kBlows; ++b) {
    const auto blow = static_cast<Blow>(b);
    for (const bool brisk : {false, true}) {
      ElectionSetup setup = row.setup;
      if (!brisk) setup.brisk = 0;
      std::vector<ElectionResult> results;
      for (std::uint64_t seed = 1; seed <= elections; ++seed) {
        results.push_back(simulate_election(setup, blow, seed));
      }
      print_row(row.name + ", " + std::string(name_of(blow)), brisk ? "new" : "old",
                std::move(results));
    }
  }
}

int run(std::uint64_t elections) {
  std::printf("%-46s %-5s %6s %6s %6s %6s %6s   %8s  %s\n", "in election time-outs", "rules",
              "50 %", "90 %", "99 %", "99.9 %", "most", "over 3", "lost");
  ElectionSetup usual;
  ElectionSetup asking = usual;
  asking.pre_vote = true;
  ElectionSetup defaults{.tick_us = 100'000, .election_ticks = 10};
  ElectionSetup slow = usual;
  slow.sync_us = 40'000;
  ElectionSetup two = usual;
  two.brisk = 2;
  ElectionSetup one = usual;
  one.brisk = 1;
  ElectionSetup five = usual;
  five.members = five.brisk = 5;
  for (const Row& row :
       {Row{"20 ticks of 25 ms", usual}, Row{"the same, pre-vote", asking},
        Row{"10 ticks of 100 ms", defaults}, Row{"20 ticks, syncs of 40 ms", slow},
        Row{"20 ticks, 2 new beside 1 old", two}, Row{"20 ticks, 1 new beside 2 old", one},
        Row{"20 ticks, 5 members", five}}) {
    compare(row, elections);
  }
  return 0;
}

}  // namespace
}  // namespace truss::raft

int main(int argc, char** argv) {
  return truss::raft::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000);
}
