#include "raft_loop.h"
#include "truss/server/errors.h"

/// The mailbox of the raft loop: what other threads bring, as one batch for its next turn.
namespace truss::server {

template <class Add>
bool RaftLoop::put(Add add, Hurry hurry) {
  {
    std::lock_guard lock(mutex_);
    if (shut_) return false;
    add(inbox_);
    if (std::exchange(scheduled_, true)) return true;
  }
  schedule(hurry);
  return true;
}

void RaftLoop::schedule(Hurry hurry) {
  Task task = [this] { turn(); };
  hurry == Hurry::kYes ? executor_.dispatch(std::move(task)) : executor_.post(std::move(task));
}

bool RaftLoop::propose(std::uint64_t id, SharedBytes data) {
  bool taken = true;
  const auto add = [&](Inbox& in) {
    taken = queued_bytes_ + data.size() <= kMaxQueuedBytes;
    if (!taken) return;
    queued_bytes_ += data.size();
    in.proposals.push_back({id, std::move(data)});
  };
  // While the disk is busy nothing is lost by waking the loop's own thread: it gathers a batch.
  (void)put(add, quiet_.load(std::memory_order_relaxed) ? Hurry::kYes : Hurry::kNo);
  return taken;
}

void RaftLoop::propose(raft::ConfChange change) {
  run([this, change = std::move(change)]() mutable { propose_change(std::move(change)); });
}

void RaftLoop::read(ReadIndexRounds::Callback done) {
  if (!put([&](Inbox& in) { in.reads.push_back(std::move(done)); })) {
    done(tl::unexpected(errors::stopped()));
  }
}

void RaftLoop::run(Task task) {
  (void)put([&](Inbox& in) { in.tasks.push_back(std::move(task)); });
}

void RaftLoop::receive(raft::Message message) {
  if (message.type == raft::MessageType::kSnap) return hooks_.snapshot_came(std::move(message));
  (void)put([&](Inbox& in) { queue(in, std::move(message)); });
}

/// Drops and counts what does not fit. Under the mailbox's lock.
void RaftLoop::queue(Inbox& in, raft::Message message) {
  std::size_t bytes = 0;
  for (const raft::Entry& entry : message.entries) bytes += entry.data.size();
  const bool full = in.messages.size() >= kMaxQueuedMessages ||
                    (bytes > 0 && in.message_bytes + bytes > kMaxQueuedBytes);
  if (full) {
    ++in.messages_lost;
    return;
  }
  in.message_bytes += bytes;
  in.messages.push_back(std::move(message));
}

void RaftLoop::receive_all(std::vector<raft::Message> messages) {
  const auto is_snapshot = [](const raft::Message& m) {
    return m.type == raft::MessageType::kSnap;
  };
  for (raft::Message& m : messages) {
    if (is_snapshot(m)) hooks_.snapshot_came(std::move(m));
  }
  std::erase_if(messages, is_snapshot);
  if (messages.empty()) return;
  const auto add = [&](Inbox& in) {
    for (raft::Message& m : messages) queue(in, std::move(m));
  };
  (void)put(add, Hurry::kYes);
}

void RaftLoop::step_snapshot(raft::Message message) {
  (void)put([&](Inbox& in) { in.messages.push_back(std::move(message)); });
}

void RaftLoop::report_unreachable(raft::NodeId peer) {
  run([this, peer] { node_->report_unreachable(peer); });
}

void RaftLoop::appended(std::vector<WalThread::Job> jobs) {
  Task task = [this, jobs = std::move(jobs)]() mutable { take_appended(std::move(jobs)); };
  (void)put([&](Inbox& in) { in.tasks.push_back(std::move(task)); }, Hurry::kYes);
}

void RaftLoop::applied(raft::Index index, std::vector<raft::Message> responses) {
  Task task = [this, index, responses = std::move(responses)]() mutable {
    take_applied(index, std::move(responses));
  };
  (void)put([&](Inbox& in) { in.tasks.push_back(std::move(task)); }, Hurry::kYes);
}

void RaftLoop::shut() {
  Inbox in;
  {
    std::lock_guard lock(mutex_);
    shut_ = true;
    std::swap(in, inbox_);
  }
  for (Task& task : in.tasks) task();
  reads_.add(std::move(in.reads), clock_.now());
  reads_.stop();
  parked_.clear();
  check_transfers(true);
}

}  // namespace truss::server
