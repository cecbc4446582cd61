#include "unstable.h"

#include <algorithm>
#include <utility>

#include "truss/common/check.h"

namespace truss::raft {

std::optional<Term> Unstable::term(Index index) const {
  if (index >= offset_ && index < end()) return at(index).term;
  if (snapshot_ && snapshot_->metadata.index == index) return snapshot_->metadata.term;
  return std::nullopt;
}

void Unstable::append(std::span<Entry> entries) {
  const Index from = entries.front().index;
  TRUSS_CHECK(from <= end(), "gap in the unstable log");
  if (from <= offset_) {
    entries_.clear();
    offset_ = from;
  } else {
    entries_.truncate(from - offset_);
  }
  // What replaces a handed-out entry must be handed out itself.
  in_progress_ = std::min(in_progress_, from);
  for (Entry& entry : entries) entries_.push_back(std::move(entry));
}

void Unstable::restore(const Snapshot& snapshot) {
  offset_ = snapshot.metadata.index + 1;
  in_progress_ = offset_;
  entries_.clear();
  snapshot_ = snapshot;
  snapshot_in_progress_ = false;
}

void Unstable::accept() {
  in_progress_ = end();
  snapshot_in_progress_ = snapshot_.has_value();
}

void Unstable::stable_to(Index index, Term term) {
  if (index < offset_ || index >= end() || at(index).term != term) return;
  entries_.pop_front(index + 1 - offset_);
  offset_ = index + 1;
  in_progress_ = std::max(in_progress_, offset_);
}

void Unstable::stable_snapshot_to(Index index) {
  if (snapshot_ && snapshot_->metadata.index == index) {
    snapshot_.reset();
    snapshot_in_progress_ = false;
  }
}

}  // namespace truss::raft
