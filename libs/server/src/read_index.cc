#include "read_index.h"

#include <algorithm>

#include "truss/common/coding.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

constexpr Duration kRetry = std::chrono::milliseconds(500);

}  // namespace

void ReadIndexRounds::add(std::vector<Callback> callbacks, MonoTime now) {
  if (queued_.callbacks.empty()) queued_.since = now;
  for (Callback& done : callbacks) queued_.callbacks.push_back(std::move(done));
}

void ReadIndexRounds::ask(raft::RawNode& node, MonoTime now, bool may_ask) {
  if (asking_ || queued_.callbacks.empty() || !may_ask) return;
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
    Waiting ready = std::move(parked_.begin()->second);
    parked_.erase(parked_.begin());
    for (Callback& done : ready.callbacks) done({});
  }
}

void ReadIndexRounds::tick(raft::RawNode& node, MonoTime now) {
  const auto late = [&](const Waiting& w) {
    return !w.callbacks.empty() && now - w.since >= timeout_;
  };
  for (auto it = parked_.begin(); it != parked_.end();) {
    if (late(it->second)) {
      fail_all(std::move(it->second.callbacks), errors::timeout());
      it = parked_.erase(it);
    } else {
      ++it;
    }
  }
  if (late(queued_)) fail_all(std::exchange(queued_, {}).callbacks, errors::timeout());
  if (!asking_) return;
  if (late(asked_)) {
    asking_ = false;
    fail_all(std::exchange(asked_, {}).callbacks, errors::timeout());
  } else if (now - sent_ >= kRetry) {
    progress_.slow_reads.fetch_add(1, std::memory_order_relaxed);
    send(node, now);
  }
}

void ReadIndexRounds::leader_changed() {
  if (!asking_) return;
  asking_ = false;
  fail_all(std::exchange(asked_, {}).callbacks, errors::leader_changed());
}

void ReadIndexRounds::stop() {
  asking_ = false;
  fail_all(std::exchange(asked_, {}).callbacks, errors::stopped());
  fail_all(std::exchange(queued_, {}).callbacks, errors::stopped());
  for (auto& [index, waiting] : std::exchange(parked_, {})) {
    fail_all(std::move(waiting.callbacks), errors::stopped());
  }
}

void ReadIndexRounds::fail_all(std::vector<Callback> callbacks, const Error& error) {
  progress_.reads_failed.fetch_add(callbacks.size(), std::memory_order_relaxed);
  for (Callback& done : callbacks) done(tl::unexpected(error));
}

}  // namespace truss::server
