#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "truss/common/executor.h"
#include "truss/common/random.h"
#include "truss/measure/closed_loop_view.h"
#include "truss/measure/histogram.h"

namespace truss::measure {

enum class Arrivals : std::uint8_t {
  kEven,     ///< every 1/rate seconds
  kPoisson,  ///< independent of each other, as from many clients
};

struct OpenLoopSpec {
  double per_second = 1000;
  Duration warm_up = std::chrono::seconds(1);  ///< driven, not counted
  Duration duration = std::chrono::seconds(5);
  /// After the end: how long the last answers may take. What is missing then counts as unfinished,
  /// with the time that it has waited so far.
  Duration patience = std::chrono::seconds(5);
  Arrivals arrivals = Arrivals::kEven;
  std::uint64_t seed = 1;
  std::size_t batches = 20;             ///< the measured time is cut into so many equal parts
  std::size_t most_waiting = 1u << 20;  ///< operations under way; more are counted as failed
};

struct OpenLoopResult {
  /// From the moment an operation was due to its answer, by the part in which it was due.
  std::vector<Histogram> batches;
  Histogram closed_loop;  ///< the naive figure: see ClosedLoopView
  Histogram lag;          ///< from due to started: the generator's own lateness
  std::uint64_t started = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t unfinished = 0;
  double seconds = 0;  ///< measured time

  Histogram latency() const;  ///< all batches
};

/// Starts operations at times that were fixed before the first one, whatever becomes of them, and
/// measures each from when it was due. A stall of the subject (or of this process) thus delays
/// every operation that falls due in it, and each of them is counted.
///
/// Lives on: its executor; begin() from any thread.
class OpenLoop : public std::enable_shared_from_this<OpenLoop> {
 public:
  /// Starts operation `index`; finish() or fail() must follow, now or later.
  using Start = std::function<void(std::uint64_t index)>;

  OpenLoop(Executor& executor, Clock& clock, OpenLoopSpec spec, Start start,
           std::function<void()> ended);

  /// `ended` is called once, when all is answered or patience is over.
  void begin();
  /// The answer to `index` came at `at` (in order of `at`). Unknown and repeated ones are ignored.
  void finish(std::uint64_t index, MonoTime at);
  void fail(std::uint64_t index);
  /// Ends it early, without calling `ended`.
  void cancel();

  const OpenLoopResult& result() const { return result_; }
  /// True from the end of the warm-up to the end of the schedule.
  bool measuring() const;

 private:
  enum class State : std::uint8_t { kWaiting, kOver };
  struct Operation {
    MonoTime due;
    State state = State::kWaiting;
  };

  void turn();
  void start_due();
  MonoTime next_due();
  void record(const Operation& operation, MonoTime at);
  std::size_t batch_of(MonoTime due) const;
  bool counts(MonoTime due) const { return due >= measured_from_ && due < end_; }
  Operation* find(std::uint64_t index);
  void drop_finished();
  void end_if_done();
  void end();

  Executor& executor_;
  Clock& clock_;
  const OpenLoopSpec spec_;
  const Start start_;
  std::function<void()> ended_;
  SeededRandom random_;

  MonoTime start_at_;
  MonoTime measured_from_;
  MonoTime end_;
  MonoTime due_;                      ///< of operation `next_`
  std::uint64_t next_ = 0;            ///< index of the next to start
  std::uint64_t first_ = 0;           ///< index of operations_.front()
  std::deque<Operation> operations_;  ///< [first_, next_)
  std::size_t waiting_ = 0;
  bool over_ = false;
  ClosedLoopView closed_;
  OpenLoopResult result_;
};

}  // namespace truss::measure
