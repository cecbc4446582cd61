#include "register_search.h"

#include <algorithm>

#include "truss/common/check.h"

namespace truss::cluster {
namespace {

/// After a write at `revision` (0: not told).
std::optional<Register> written(const Register& before, std::optional<std::string> value,
                                std::int64_t revision) {
  if (revision != 0 && revision <= before.revision) return std::nullopt;
  Register after;
  after.value = std::move(value);
  after.exact = revision != 0;
  after.revision = revision != 0 ? revision : before.revision;
  return after;
}

std::optional<Register> seen(const Register& before) {
  Register after = before;
  after.unseen = false;
  return after;
}

std::optional<Register> apply_get(const Operation& op, const Register& before) {
  if (op.read != before.value) return std::nullopt;
  std::optional<Register> after = seen(before);
  if (!op.read || op.revision == 0) return after;
  const bool fits = before.exact ? op.revision == before.revision : op.revision > before.revision;
  if (!fits) return std::nullopt;
  after->revision = op.revision;
  after->exact = true;
  return after;
}

std::optional<Register> apply_answered(const Operation& op, const Register& before) {
  switch (op.kind) {
    case Kind::kGet:
      return apply_get(op, before);
    case Kind::kPut:
      if (before.unseen) return std::nullopt;
      return written(before, op.argument, op.revision);
    case Kind::kRemove:
      if (op.applied != before.value.has_value()) return std::nullopt;
      return op.applied ? written(before, std::nullopt, op.revision) : seen(before);
    case Kind::kSwap:
      if (op.applied != (op.expected == before.value)) return std::nullopt;
      if (op.applied) return written(before, op.argument, op.revision);
      return op.read == before.value ? seen(before) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Register> apply_unknown(const Operation& op, const Register& before) {
  if (op.kind == Kind::kSwap && op.expected != before.value) return std::nullopt;
  if (op.kind == Kind::kRemove && !before.value) return std::nullopt;
  if (op.kind == Kind::kGet || (op.kind != Kind::kSwap && before.unseen)) return std::nullopt;
  const bool removes = op.kind == Kind::kRemove;
  auto after = written(before, removes ? std::nullopt : std::optional(op.argument), 0);
  after->unseen = true;
  return after;
}

}  // namespace

std::optional<Register> apply(const Operation& op, const Register& before) {
  return op.outcome == Outcome::kOk ? apply_answered(op, before) : apply_unknown(op, before);
}

RegisterSearch::RegisterSearch(std::vector<const Operation*> operations, std::uint64_t most_steps)
    : operations_(std::move(operations)),
      most_steps_(most_steps),
      placed_bits_((operations_.size() + 63) / 64) {
  build();
}

void RegisterSearch::build() {
  struct Point {
    std::int64_t time;
    bool is_return;
    std::size_t operation;
  };
  std::vector<Point> points;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    points.push_back({operations_[i]->start_ns, false, i});
    if (operations_[i]->outcome != Outcome::kOk) continue;
    points.push_back({operations_[i]->end_ns, true, i});
    ++open_;
  }
  // At one instant calls come first: two operations that touch may go either way.
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    return a.time != b.time ? a.time < b.time : a.is_return < b.is_return;
  });
  std::vector<std::size_t> call_of(operations_.size());
  events_.resize(points.size() + 1);
  for (std::size_t i = 0; i < points.size(); ++i) {
    Event& event = events_[i + 1];
    event.operation = points[i].operation;
    event.is_return = points[i].is_return;
    event.previous = i;
    event.next = (i + 2) % events_.size();
    if (!event.is_return) call_of[event.operation] = i + 1;
    if (event.is_return) events_[call_of[event.operation]].matching = i + 1;
  }
  events_[0].next = events_.size() > 1 ? 1 : 0;
  events_[0].previous = points.size();
}

void RegisterSearch::unlink(std::size_t event) {
  events_[events_[event].previous].next = events_[event].next;
  events_[events_[event].next].previous = events_[event].previous;
}

void RegisterSearch::relink(std::size_t event) {
  events_[events_[event].previous].next = event;
  events_[events_[event].next].previous = event;
}

bool RegisterSearch::remember() {
  std::string bytes(reinterpret_cast<const char*>(placed_bits_.data()), placed_bits_.size() * 8);
  bytes += std::to_string(register_.revision);
  bytes += register_.exact ? '!' : '>';
  bytes += register_.unseen ? '?' : '.';
  if (register_.value) bytes += '=' + *register_.value;
  return seen_.insert(std::move(bytes)).second;
}

bool RegisterSearch::place(std::size_t call) {
  const Event& event = events_[call];
  std::optional<Register> after = apply(*operations_[event.operation], register_);
  if (!after) return false;
  std::uint64_t& word = placed_bits_[event.operation / 64];
  const std::uint64_t bit = std::uint64_t{1} << event.operation % 64;
  Register before = std::exchange(register_, *std::move(after));
  word |= bit;
  if (!remember()) {
    word &= ~bit;
    register_ = std::move(before);
    return false;
  }
  placed_.push_back({call, std::move(before)});
  unlink(call);
  if (event.matching != 0) {
    unlink(event.matching);
    --open_;
  }
  return true;
}

bool RegisterSearch::take_back() {
  if (placed_.empty()) return false;
  Step step = std::move(placed_.back());
  placed_.pop_back();
  const Event& event = events_[step.call];
  if (event.matching != 0) {
    relink(event.matching);
    ++open_;
  }
  relink(step.call);
  placed_bits_[event.operation / 64] &= ~(std::uint64_t{1} << event.operation % 64);
  register_ = std::move(step.before);
  next_after(step.call);
  return true;
}

void RegisterSearch::next_after(std::size_t event) {
  const Operation& op = *operations_[events_[event].operation];
  unanswered_round_ = op.outcome == Outcome::kUnknown;
  tried_remove_ = unanswered_round_ && op.kind == Kind::kRemove;
  for (std::size_t i = events_[event].previous; unanswered_round_ && i != 0;
       i = events_[i].previous) {
    const Operation& earlier = *operations_[events_[i].operation];
    const bool unanswered = earlier.outcome == Outcome::kUnknown;
    tried_remove_ = tried_remove_ || (unanswered && earlier.kind == Kind::kRemove);
  }
  cursor_ = events_[event].next;
}

bool RegisterSearch::may_try(std::size_t call) {
  const Operation& op = *operations_[events_[call].operation];
  if ((op.outcome == Outcome::kUnknown) != unanswered_round_) return false;
  if (!unanswered_round_ || op.kind != Kind::kRemove) return true;
  return !std::exchange(tried_remove_, true);
}

void RegisterSearch::note_obstacle(std::size_t event) {
  if (placed_.size() < longest_ && !obstacle_.empty()) return;
  longest_ = placed_.size();
  const std::int64_t zero = operations_.front()->start_ns;
  obstacle_ = describe(*operations_[events_[event].operation], zero) +
              "\n  key then: " + register_.value.value_or("absent") +
              (register_.exact ? " at " : " after ") + std::to_string(register_.revision);
  for (std::size_t i = 0; i < std::min<std::size_t>(4, placed_.size()); ++i) {
    const Step& step = placed_[placed_.size() - 1 - i];
    obstacle_ += "\n  placed before: " + describe(*operations_[events_[step.call].operation], zero);
  }
}

std::string RegisterSearch::complaint() const {
  return "no place for " + obstacle_ + "\n  in the longest of the orders tried, of " +
         std::to_string(longest_) + " among " + std::to_string(operations_.size()) + " operations";
}

std::string RegisterSearch::run() {
  const auto restart = [this](bool unanswered) {
    cursor_ = events_[0].next;
    unanswered_round_ = unanswered;
    tried_remove_ = false;
  };
  restart(false);
  while (open_ > 0) {
    if (++steps_ > most_steps_) {
      return "gave up after " + std::to_string(steps_) + " steps; " + complaint();
    }
    TRUSS_CHECK(cursor_ != 0);
    if (!events_[cursor_].is_return) {
      if (may_try(cursor_) && place(cursor_)) {
        restart(false);
      } else {
        cursor_ = events_[cursor_].next;
      }
      continue;
    }
    if (!unanswered_round_) {
      restart(true);
      continue;
    }
    note_obstacle(cursor_);
    if (!take_back()) return complaint();
  }
  return {};
}

}  // namespace truss::cluster
