#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "history.h"

namespace truss::cluster {

/// What one key holds between two operations of an order.
struct Register {
  std::optional<std::string> value;
  /// The revision of the last write, or, where nobody told it, one that it is greater than.
  std::int64_t revision = 0;
  bool exact = false;
  /// A write of unknown outcome was placed and nothing has seen it yet. An order in which nothing
  /// ever does is as good without that write, so only operations that see it may follow.
  bool unseen = false;

  friend bool operator==(const Register&, const Register&) = default;
};

/// The register after `op`, or nullopt if its answer doesn't fit. An operation of unknown outcome
/// is placed only where it changes something.
std::optional<Register> apply(const Operation& op, const Register& before);

/// The search over the operations of one key.
class RegisterSearch {
 public:
  RegisterSearch(std::vector<const Operation*> operations, std::uint64_t most_steps);

  /// Empty if there is an order; else which operation has no place in the longest one found.
  std::string run();
  std::uint64_t steps() const { return steps_; }

 private:
  /// A call or a return in time's order, in a list that a placed operation leaves.
  struct Event {
    std::size_t operation = 0;
    bool is_return = false;
    std::size_t previous = 0;
    std::size_t next = 0;
    std::size_t matching = 0;  ///< of a call: its return, or 0 for an unknown outcome
  };
  struct Step {
    std::size_t call = 0;
    Register before;
  };

  void build();
  void unlink(std::size_t event);
  void relink(std::size_t event);
  bool place(std::size_t call);
  bool take_back();
  bool remember();
  bool may_try(std::size_t call);
  void next_after(std::size_t event);
  void note_obstacle(std::size_t event);
  std::string complaint() const;

  const std::vector<const Operation*> operations_;
  const std::uint64_t most_steps_;
  std::vector<Event> events_;  // [0] is the list's head and end
  std::vector<Step> placed_;
  std::vector<std::uint64_t> placed_bits_;
  std::unordered_set<std::string> seen_;  // placed_bits_ and register_ as bytes
  Register register_;
  std::size_t cursor_ = 0;
  /// Operations that may come next are tried in two rounds: the answered ones first.
  bool unanswered_round_ = false;
  /// Deletes without a verdict that have started are all alike: only the oldest is tried.
  bool tried_remove_ = false;
  std::size_t open_ = 0;  // answered operations not placed
  std::uint64_t steps_ = 0;
  std::size_t longest_ = 0;
  std::string obstacle_;
};

}  // namespace truss::cluster
