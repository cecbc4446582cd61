#include "truss/measure/closed_loop_view.h"

namespace truss::measure {

void ClosedLoopView::add(MonoTime due, MonoTime answered) {
  if (due < free_at_) return;
  latency_.add(answered - due);
  free_at_ = answered;
}

}  // namespace truss::measure
