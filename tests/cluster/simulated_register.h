#pragma once

#include <map>

#include "history.h"
#include "truss/common/random.h"

namespace truss::cluster {

struct SimulationOptions {
  std::uint64_t seed = 1;
  int clients = 5;
  int keys = 2;
  int operations = 200;
  int unknown_percent = 5;     ///< of operations whose client never gets an answer
  bool tell_revisions = true;  ///< else every revision is 0, as of a store that has none
};

/// A right store under concurrent clients in simulated time, which writes the history that they
/// see. What the clients are told is true by construction: each operation takes effect at one
/// moment between its start and its end; an unanswered one later, or never.
class SimulatedRegister {
 public:
  explicit SimulatedRegister(SimulationOptions options);

  /// The concurrent phase.
  void run();
  /// One operation alone, after all others but the unanswered ones have ended. `effect` false: it
  /// is answered as if it had been done, and isn't (a planted fault).
  Operation& alone(Kind kind, const std::string& key, const std::string& argument = {},
                   bool effect = true);
  /// Does what `operation` does once more, or late, without telling anybody (a planted fault).
  void apply_again(const Operation& operation);

  History& history() { return history_; }

 private:
  struct Stored {
    std::optional<std::string> value;
    std::int64_t revision = 0;
  };

  Operation start(int client);
  void take_effect(Operation& operation);
  std::int64_t now() { return ++time_; }

  const SimulationOptions options_;
  SeededRandom random_;
  std::map<std::string, Stored> store_;
  std::int64_t revision_ = 1;
  std::int64_t time_ = 0;
  int values_ = 0;
  History history_;
};

}  // namespace truss::cluster
