#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load.h"
#include "members.h"

namespace truss::cluster {

enum class Fault : std::uint8_t {
  kKillLeader,
  kKillFollower,
  kKillAll,
  kPauseLeader,
  kPauseFollower,
  kLeaderMute,    ///< what the leader sends is lost
  kLeaderDeaf,    ///< what is sent to the leader is lost
  kLeaderHung,    ///< both wait, and arrive late
  kHalfClosed,    ///< the leader's peers see the end of its streams
  kFollowerMute,  ///< what one follower sends is lost
  kOneLink,       ///< the leader's messages to one follower are lost
};
constexpr std::size_t kFaults = 11;
std::string_view name_of(Fault fault);

struct RoundOptions {
  Duration election_timeout = std::chrono::milliseconds(500);
  Duration before = std::chrono::milliseconds(250);  ///< load without a fault
  Duration after = std::chrono::milliseconds(200);   ///< load after all serve again
  Duration recovery = std::chrono::seconds(30);      ///< until all must serve again
  bool etcds_elections =
      false;  ///< some member is real: elections may take as long as its rules do
};

struct RoundResult {
  std::string wrong;  ///< empty if all went well
  /// From the fault (all killed: from the second member that listens to peers) to the new leader.
  std::optional<Duration> election;
  std::uint64_t elections_lost = 0;  ///< terms used up without a leader
  std::size_t operations = 0;
  std::uint64_t unknown = 0;
  History history;
};

/// One fault under load, and what must hold: an acknowledged write is never lost, the history is
/// linearizable (reads through a leader that was paused included), the members' hashes agree, and a
/// healthy quorum has a leader within three election time-outs.
///
/// By etcd's rules an election that is lost to a split vote costs up to two time-outs more, and a
/// leader that hears nobody keeps its followers for up to two, until it notices.
class FaultRound {
 public:
  FaultRound(Clock& clock, Members& members, Load& load, RoundOptions options, Random& random);

  /// `number` makes the round's keys its own.
  RoundResult run(Fault fault, std::uint64_t number);

 private:
  void inject(Fault fault);
  void watch_election(Fault fault);
  void end_fault(Fault fault);
  void finish();
  void compare_hashes();
  void cut_leader(bool sends, bool hears, Cut cut);
  void complain(const std::string& what);
  Duration longest_election(Fault fault) const;

  Clock& clock_;
  Members& members_;
  Load& load_;
  const RoundOptions options_;
  Random& random_;
  Members::Leader leader_;
  std::vector<std::size_t> others_;
  std::size_t victim_ = 0;  // a follower
  MonoTime since_;
  RoundResult result_;
};

}  // namespace truss::cluster
