#include "read_index.h"

#include <algorithm>

#include "truss/common/coding.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

constexpr Duration kRetry = std::chrono::milliseconds(500);

}  // namespace

void ReadIndexRounds::add(std::vector<Callback> callbacks, MonoTime now) {
  for (Callback& done : callbacks) queued_.push_back({now, std::move(done)});
}

void ReadIndexRounds::ask(raft::RawNode& node, MonoTime now, bool may_ask) {
  if (asking_ || queued_.empty() || !may_ask) return;
  asked_ = std::exchange(queued_, {});
  asking_ = true;
  contexts_.clear();
  send(node, now);
}

void ReadIndexRounds::send(raft::RawNode& node, MonoTime now) {
  contexts_.push_back(SharedBytes::build(8, [&](char* p) { store_be64(p, next_context_++); }));
  sent_ = now;
  node.read_index(contexts_.back());
}

void ReadIndexRounds::answered(const raft::ReadState& state) {
  const bool ours = std::find(contexts_.begin(), contexts_.end(), state.context) != contexts_.end();
  if (!asking_ || !ours) return;
  asking_ = false;
  parked_.emplace(state.index, std::exchange(asked_, {}));
  applied(progress_.applied_index());
}

void ReadIndexRounds::applied(raft::Index index) {
  while (!parked_.empty() && parked_.begin()->first <= index) {
    Reads ready = std::move(parked_.begin()->second);
    parked_.erase(parked_.begin());
    for (Read& read : ready) read.done({});
  }
}

void ReadIndexRounds::tick(raft::RawNode& node, MonoTime now) {
  for (auto& [index, reads] : parked_) expire(reads, now);
  std::erase_if(parked_, [](const auto& waiting) { return waiting.second.empty(); });
  expire(queued_, now);
  if (!asking_) return;
  expire(asked_, now);
  if (asked_.empty()) {
    asking_ = false;
  } else if (now - sent_ >= kRetry) {
    progress_.slow_reads.fetch_add(1, std::memory_order_relaxed);
    send(node, now);
  }
}

void ReadIndexRounds::expire(Reads& reads, MonoTime now) {
  const auto young = std::find_if(reads.begin(), reads.end(),
                                  [&](const Read& r) { return now - r.since < timeout_; });
  if (young == reads.begin()) return;
  Reads late(std::make_move_iterator(reads.begin()), std::make_move_iterator(young));
  reads.erase(reads.begin(), young);
  fail_all(std::move(late), errors::timeout());
}

void ReadIndexRounds::leader_changed() {
  if (!asking_) return;
  asking_ = false;
  fail_all(std::exchange(asked_, {}), errors::leader_changed());
}

void ReadIndexRounds::stop() {
  asking_ = false;
  fail_all(std::exchange(asked_, {}), errors::stopped());
  fail_all(std::exchange(queued_, {}), errors::stopped());
  for (auto& [index, reads] : std::exchange(parked_, {})) {
    fail_all(std::move(reads), errors::stopped());
  }
}

void ReadIndexRounds::fail_all(Reads reads, const Error& error) {
  progress_.reads_failed.fetch_add(reads.size(), std::memory_order_relaxed);
  for (Read& read : reads) read.done(tl::unexpected(error));
}

}  // namespace truss::server
