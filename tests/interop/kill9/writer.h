#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>

#include "client.h"
#include "truss/common/random.h"
#include "truss/net/channel.h"

namespace truss::kill9 {

/// One client with keys of its own, one operation in flight, values never used twice. Knows what
/// the server acknowledged, and what may or may not have happened.
///
/// Thread: start() and the checks while no call is open; in between the channel's thread.
class Writer {
 public:
  Writer(int number, std::uint64_t seed);

  /// Sends operation after operation until one fails.
  void start(net::Channel& channel);
  /// No call is open.
  bool idle() const { return idle_; }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::int64_t last_revision() const { return last_revision_; }

  /// Compares this writer's part of the store with what it knows, and goes on from what is there.
  /// Empty if fine, else what was lost or invented.
  std::string reconcile(const Pairs& store);

 private:
  /// What an operation does to this writer's keys; no value: deleted.
  using Effect = std::map<std::string, std::optional<std::string>>;

  void next();
  void answered(Result<SharedBytes> response);
  Pairs after(const Effect& effect, std::int64_t revision) const;
  std::string random_key();

  const std::string prefix_;
  SeededRandom random_;
  net::Channel* channel_ = nullptr;
  Pairs known_;  // as acknowledged
  Effect open_;  // in flight, or failed without a verdict
  std::uint64_t values_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::int64_t last_revision_ = 0;
  std::atomic<bool> idle_{true};
};

}  // namespace truss::kill9
