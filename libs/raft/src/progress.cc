#include "truss/raft/progress.h"

#include <algorithm>
#include <utility>

#include "truss/common/check.h"

namespace truss::raft {

void Inflights::grow() {
  std::vector<Slot> wider(ring_.empty() ? 8 : ring_.size() * 2);
  for (std::size_t i = 0; i < count_; ++i) wider[i] = ring_[(head_ + i) & (ring_.size() - 1)];
  ring_ = std::move(wider);
  head_ = 0;
}

void Inflights::add(Index last, std::uint64_t bytes) {
  TRUSS_CHECK(!full(), "raft window overflow");
  if (count_ == ring_.size()) grow();
  ring_[(head_ + count_++) & (ring_.size() - 1)] = {last, bytes};
  bytes_ += bytes;
}

void Inflights::free_through(Index index) {
  while (count_ > 0 && ring_[head_].last <= index) {
    bytes_ -= ring_[head_].bytes;
    head_ = (head_ + 1) & (ring_.size() - 1);
    --count_;
  }
}

void Inflights::clear() {
  head_ = 0;
  count_ = 0;
  bytes_ = 0;
}

void Progress::reset(Index last) {
  match = Index{};
  next = last + 1;
  sent_commit = Index{};
  read_ack = 0;
  recent_active = false;
  silent_ticks = 0;
  enter(ProgressState::kProbe);
}

void Progress::become_self() {
  match = next - 1;
  recent_active = true;
  become_replicate();
}

void Progress::enter(ProgressState to) {
  state = to;
  flow_paused = false;
  pending_snapshot = Index{};
  inflights.clear();
}

void Progress::become_probe() {
  // A delivered snapshot moves the probe past it, even though nothing was acknowledged yet.
  next = std::max(match, pending_snapshot) + 1;
  enter(ProgressState::kProbe);
  sent_commit = std::min(sent_commit, next - 1);
}

void Progress::become_replicate() {
  enter(ProgressState::kReplicate);
  next = match + 1;
}

void Progress::on_sent(std::size_t entries, std::uint64_t bytes, Index commit) {
  sent_commit = commit;
  if (state == ProgressState::kProbe) {
    flow_paused = flow_paused || entries > 0;
    return;
  }
  if (entries > 0) {
    next += entries;
    inflights.add(next - 1, bytes);
  }
  // With a full window this message is a probe of its own: one, then wait for an answer.
  flow_paused = inflights.full();
}

void Progress::on_snapshot_sent(Index index) {
  enter(ProgressState::kSnapshot);
  pending_snapshot = index;
  next = index + 1;
  sent_commit = index;
}

bool Progress::on_ack(Index index, Index first_index) {
  const bool news = index > match;
  if (!news && !(index == match && state == ProgressState::kProbe)) return false;
  if (news) {
    match = index;
    next = std::max(next, index + 1);
    flow_paused = false;
  }
  if (state == ProgressState::kReplicate) {
    inflights.free_through(index);
  } else if (state == ProgressState::kProbe || match + 1 >= first_index) {
    // From kSnapshot the peer's log meets ours again, whichever snapshot it took.
    become_replicate();
  }
  return true;
}

bool Progress::on_reject(Index rejected, Index hint) {
  if (state == ProgressState::kReplicate) {
    if (rejected <= match) return false;
    become_probe();
    return true;
  }
  if (next - 1 != rejected) return false;
  next = std::max(std::min(rejected, hint + 1), match + 1);
  sent_commit = std::min(sent_commit, next - 1);
  flow_paused = false;
  return true;
}

void Progress::on_heartbeat_response() {
  heard();
  flow_paused = false;
}

void Progress::on_unreachable() {
  if (state == ProgressState::kReplicate) become_probe();
}

void Progress::on_snapshot_status(bool delivered) {
  if (state != ProgressState::kSnapshot) return;
  if (!delivered) pending_snapshot = Index{};
  become_probe();
  flow_paused = true;
}

}  // namespace truss::raft
