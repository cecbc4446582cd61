#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/measure/histogram.h"

namespace truss::bench {

/// One load: every client has one request under way at any time, or, with a rate, requests start
/// at times fixed before, whatever becomes of them.
struct LoadSpec {
  std::string op;                ///< one of load_ops()
  std::size_t clients = 64;      ///< for watch: writers
  std::size_t connections = 12;  ///< at most; never more than clients
  Duration warm_up = std::chrono::milliseconds(300);
  Duration duration = std::chrono::milliseconds(2500);
  std::size_t key_space = 10'000;
  std::size_t value_bytes = 256;
  std::size_t watchers = 1000;
  std::size_t watch_streams = 10;
  std::uint64_t seed = 1;
  double per_second = 0;  ///< requests started a second, as from many clients; 0: closed loop
};

/// One answer and how long it took.
struct TimedCall {
  MonoTime started;
  Duration took{};
};

/// What was measured between the end of the warm-up and the end.
struct LoadResult {
  std::uint64_t operations = 0;  ///< for watch: events
  std::uint64_t errors = 0;      ///< statuses other than OK, and answers too short to be right
  std::string first_error;
  double seconds = 0;
  measure::Histogram latency;      ///< request (or when it was due) to answer; watch: put to event
  std::vector<TimedCall> slowest;  ///< the slowest kSlowest answers, slowest first; not for watch

  static constexpr std::size_t kSlowest = 32;
  void add(MonoTime started, MonoTime ended);
};

/// `put`, `get-lin`, `get-ser`, `range100`, `txn4`, `mixed`, `watch`, `lease`.
const std::vector<std::string>& load_ops();
/// True if the op reads keys that must be there before.
bool needs_keys(const std::string& op);

/// Called at the two ends of the measured time: on the generator's thread, or, with a rate, on the
/// caller's.
struct LoadMarks {
  virtual ~LoadMarks() = default;
  virtual void begin() = 0;
  virtual void end() = 0;
};

/// Runs one load against a server, or the members of a cluster: the connections go round them, the
/// first to the first. Errors: kInvalidArgument (op), or the first error if nothing
/// succeeded.
Result<LoadResult> run_load(const std::vector<std::string>& addresses, const LoadSpec& spec,
                            LoadMarks& marks);

/// Writes `count` keys of `value_bytes` in transactions of `per_transaction` puts.
Result<void> fill_big(const std::string& address, std::size_t count, std::size_t value_bytes,
                      std::size_t per_transaction);

/// Writes every key of the key space once.
Result<void> fill_keys(const std::string& address, const LoadSpec& spec);

}  // namespace truss::bench
