#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace truss::raft {

/// A cluster as the simulator of elections knows it: ticks at phases of their own, disks that take
/// time to sync (all that waits shares a sync), links with delays, a steady load.
struct ElectionSetup {
  std::uint64_t members = 3;
  std::uint64_t tick_us = 25'000;
  std::uint64_t election_ticks = 20;
  std::uint64_t sync_us = 5'000;  ///< mean; some take many times as long
  bool pre_vote = false;
  std::uint64_t brisk = 3;  ///< so many have Config::brisk_elections, the others are as etcd's
};

enum class Blow : std::uint8_t {
  kKillLeader,
  kKillAll,     ///< they come back within 150 ms
  kLeaderMute,  ///< nobody hears the leader
  kLeaderDeaf,  ///< the leader hears nobody
  kLeaderCut,   ///< both
};
constexpr std::size_t kBlows = 5;
std::string_view name_of(Blow blow);

struct ElectionResult {
  double timeouts = 0;  ///< from the moment that a quorum is healthy to a new leader
  std::uint64_t terms_lost = 0;
};

/// One election. The same seed gives the same one.
ElectionResult simulate_election(const ElectionSetup& setup, Blow blow, std::uint64_t seed);

}  // namespace truss::raft
