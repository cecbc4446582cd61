#include "truss/measure/open_loop.h"

#include <algorithm>
#include <cmath>

#include "truss/common/check.h"

namespace truss::measure {
namespace {

Duration seconds(double s) { return Duration(std::llround(s * 1e9)); }

}  // namespace

Histogram OpenLoopResult::latency() const {
  Histogram out;
  for (const Histogram& batch : batches) out.merge(batch);
  return out;
}

OpenLoop::OpenLoop(Executor& executor, Clock& clock, OpenLoopSpec spec, Start start,
                   std::function<void()> ended)
    : executor_(executor),
      clock_(clock),
      spec_(spec),
      start_(std::move(start)),
      ended_(std::move(ended)),
      random_(spec.seed) {
  TRUSS_CHECK(spec_.per_second > 0 && spec_.batches > 0, "an open loop needs a rate and batches");
  result_.batches.resize(spec_.batches);
}

void OpenLoop::begin() {
  executor_.post([self = shared_from_this()] {
    self->start_at_ = self->clock_.now();
    self->measured_from_ = self->start_at_ + self->spec_.warm_up;
    self->end_ = self->measured_from_ + self->spec_.duration;
    self->result_.seconds = std::chrono::duration<double>(self->spec_.duration).count();
    self->due_ = self->start_at_;
    self->turn();
  });
}

bool OpenLoop::measuring() const {
  return !over_ && next_ > 0 && clock_.now() >= measured_from_ && clock_.now() < end_;
}

/// Even arrivals are counted from the start, so that rounding doesn't add up.
MonoTime OpenLoop::next_due() {
  if (spec_.arrivals == Arrivals::kEven) {
    return start_at_ + seconds(static_cast<double>(next_) / spec_.per_second);
  }
  const double uniform =
      (static_cast<double>(random_.next() >> 11) + 0.5) / 9007199254740992.0;  // (0, 1)
  return due_ + seconds(-std::log(uniform) / spec_.per_second);
}

void OpenLoop::turn() {
  if (over_) return;
  start_due();
  if (over_) return;
  if (due_ < end_) {
    executor_.post_at(due_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->turn();
    });
    return;
  }
  executor_.post_at(end_ + spec_.patience, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->end();
  });
  end_if_done();
}

void OpenLoop::start_due() {
  for (MonoTime now = clock_.now(); due_ <= now && due_ < end_; now = clock_.now()) {
    const std::uint64_t index = next_++;
    const MonoTime due = due_;
    due_ = next_due();
    operations_.push_back({due});
    ++waiting_;
    if (counts(due)) {
      ++result_.started;
      result_.lag.add(now - due);
    }
    if (waiting_ > spec_.most_waiting) {
      fail(index);
    } else {
      start_(index);
    }
    if (over_) return;
  }
}

OpenLoop::Operation* OpenLoop::find(std::uint64_t index) {
  if (index < first_ || index >= next_) return nullptr;
  Operation& operation = operations_[index - first_];
  return operation.state == State::kWaiting ? &operation : nullptr;
}

std::size_t OpenLoop::batch_of(MonoTime due) const {
  const auto since = static_cast<double>((due - measured_from_).count());
  const auto whole = static_cast<double>(spec_.duration.count());
  const auto at = static_cast<std::size_t>(since / whole * static_cast<double>(spec_.batches));
  return std::min(at, spec_.batches - 1);
}

void OpenLoop::record(const Operation& operation, MonoTime at) {
  if (!counts(operation.due)) return;
  result_.batches[batch_of(operation.due)].add(at - operation.due);
}

void OpenLoop::finish(std::uint64_t index, MonoTime at) {
  Operation* operation = find(index);
  if (operation == nullptr || over_) return;
  operation->state = State::kOver;
  --waiting_;
  record(*operation, at);
  if (counts(operation->due)) {
    ++result_.answered;
    closed_.add(operation->due, at);
  }
  drop_finished();
  end_if_done();
}

void OpenLoop::fail(std::uint64_t index) {
  Operation* operation = find(index);
  if (operation == nullptr || over_) return;
  operation->state = State::kOver;
  --waiting_;
  if (counts(operation->due)) ++result_.failed;
  drop_finished();
  end_if_done();
}

void OpenLoop::drop_finished() {
  while (!operations_.empty() && operations_.front().state == State::kOver) {
    operations_.pop_front();
    ++first_;
  }
}

void OpenLoop::end_if_done() {
  if (!over_ && due_ >= end_ && waiting_ == 0) end();
}

void OpenLoop::end() {
  if (over_) return;
  const MonoTime now = clock_.now();
  for (const Operation& operation : operations_) {
    if (operation.state == State::kOver || !counts(operation.due)) continue;
    ++result_.unfinished;
    record(operation, now);
  }
  cancel();
  if (ended_) executor_.post(std::exchange(ended_, nullptr));
}

void OpenLoop::cancel() {
  over_ = true;
  operations_.clear();
  first_ = next_;
  result_.closed_loop = closed_.latency();
}

}  // namespace truss::measure
