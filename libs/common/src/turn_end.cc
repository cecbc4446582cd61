#include "truss/common/turn_end.h"

#include <algorithm>
#include <utility>

namespace truss {

bool Turns::promise(const std::shared_ptr<LentLoop>& loop) {
  const auto here = std::this_thread::get_id();
  for (Seat& seat : seats_) {
    if (seat.thread.load(std::memory_order_relaxed) != here) continue;
    if (!seat.end->open_) return false;
    seat.end->add(loop);
    return true;
  }
  return false;
}

TurnEnd::TurnEnd(Turns& turns) {
  for (Turns::Seat& seat : turns.seats_) {
    std::thread::id nobody;
    if (!seat.thread.compare_exchange_strong(nobody, std::this_thread::get_id(),
                                             std::memory_order_acquire)) {
      continue;
    }
    seat.end = this;
    seat_ = &seat;
    return;
  }
}

TurnEnd::~TurnEnd() {
  close();
  if (seat_ != nullptr) seat_->thread.store({}, std::memory_order_release);
}

void TurnEnd::close() {
  open_ = false;
  for (const auto& loop : promised_) loop->rouse();
  promised_.clear();
}

void TurnEnd::add(const std::shared_ptr<LentLoop>& loop) {
  if (std::find(promised_.begin(), promised_.end(), loop) == promised_.end()) {
    promised_.push_back(loop);
  }
}

bool TurnEnd::run(int& visits_left) {
  if (promised_.empty()) return false;
  while (!promised_.empty()) {
    const std::shared_ptr<LentLoop> next = std::move(promised_.front());
    promised_.erase(promised_.begin());
    visits_left-- > 0 ? next->visit() : next->rouse();
  }
  return true;
}

}  // namespace truss
