#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace truss {

/// A loop whose thread may sleep although its queue holds work: somebody has promised to come by.
class LentLoop {
 public:
  virtual ~LentLoop() = default;
  /// Runs the queued short work on the calling thread, as the loop, if its own thread sleeps still.
  /// Thread: any that holds no lock and has promised it.
  virtual void visit() = 0;
  /// Wakes the loop's own thread if work is queued. Thread: any.
  virtual void rouse() = 0;
};

class TurnEnd;

/// The threads of one runtime that have turns, so that code finds out at whose end of turn work for
/// a sleeping loop can be done.
///
/// Full-behaviour: a thread beyond kThreads has no turns, so it wakes others as if there were none.
/// Thread: any.
class Turns {
 public:
  static constexpr std::size_t kThreads = 64;

  Turns() = default;
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  /// The calling thread will visit `loop` when its turn ends. False, and nothing promised, if it
  /// has no turns, or is in none.
  bool promise(const std::shared_ptr<LentLoop>& loop);

 private:
  friend class TurnEnd;
  struct Seat {
    std::atomic<std::thread::id> thread{};
    TurnEnd* end = nullptr;  // by `thread` only
  };
  std::array<Seat, kThreads> seats_;
};

/// The end of the turns of one thread: the visits it has promised meanwhile. So a batch of work
/// reaches another loop at once, nobody is woken for it, and no visit begins inside another, nor
/// under a lock.
///
/// Lives on: the thread that constructs it, whose turns are short and wait for nobody.
class TurnEnd {
 public:
  /// Visits of one turn; loops beyond them are woken, so that this thread's own work goes on.
  static constexpr int kMaxVisits = 16;

  explicit TurnEnd(Turns& turns);
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

  /// A turn begins: from now on the thread may promise.
  void open() { open_ = true; }
  /// The turn is over: wakes the loops that were not visited.
  void close();
  /// Keeps what was promised, and what the visits promise; false if there was nothing.
  /// `visits_left` of this turn goes down.
  bool run(int& visits_left);

 private:
  friend class Turns;
  void add(const std::shared_ptr<LentLoop>& loop);

  Turns::Seat* seat_ = nullptr;  // null: there was none free
  bool open_ = false;
  std::vector<std::shared_ptr<LentLoop>> promised_;
};

}  // namespace truss
