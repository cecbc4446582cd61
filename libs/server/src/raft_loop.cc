#include "raft_loop.h"

#include <algorithm>

#include "outdated_acks.h"
#include "pledge.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

const Error& dropped() {
  static const Error error{Code::kUnknown, "raft proposal dropped", 0};
  return error;
}

}  // namespace

Result<std::unique_ptr<RaftLoop>> RaftLoop::create(Parts parts, Hooks hooks) {
  const raft::Config config = parts.config;
  Random& random = parts.random;
  const bool advance = parts.advance_first_election;
  std::unique_ptr<RaftLoop> loop(new RaftLoop(std::move(parts), std::move(hooks)));
  TRUSS_ASSIGN(loop->node_, raft::RawNode::create(config, *loop->storage_, random, loop->logger_));
  for (std::uint64_t i = 1; advance && i < config.election_tick; ++i) loop->node_->tick();
  loop->conf_ = loop->node_->conf_state();
  const raft::HardState state = loop->node_->basic_status().hard_state;
  loop->replayed_ = state.commit;
  loop->progress_.term = state.term.value();
  loop->progress_.committed = state.commit.value();
  return loop;
}

RaftLoop::RaftLoop(Parts parts, Hooks hooks)
    : executor_(parts.executor),
      clock_(parts.clock),
      logger_(parts.logger),
      transport_(parts.transport),
      progress_(parts.progress),
      waiters_(parts.waiters),
      self_(parts.config.id),
      tick_(parts.tick),
      election_ticks_(parts.config.election_tick),
      request_timeout_(parts.request_timeout),
      hooks_(std::move(hooks)),
      storage_(std::move(parts.storage)),
      reads_(self_, parts.first_read_context, parts.request_timeout, parts.progress),
      applied_(parts.config.applied),
      election_timeout_(parts.election_timeout),
      disk_(2 * parts.election_timeout),
      retention_(parts.retention),
      memory_snapshot_(parts.config.applied) {}

void RaftLoop::start() {
  executor_.post([this] {
    next_tick_ = clock_.now();
    tick();
  });
}

// --- Work from other threads -----------------------------------------------------------------

void RaftLoop::advance_election() {
  run([this] {
    for (std::uint64_t i = 2; i < election_ticks_ && soft_.leader == raft::kNoNode; ++i) {
      node_->tick();
    }
  });
}

/// What the WAL thread has made durable.
void RaftLoop::take_appended(std::vector<WalThread::Job> jobs) {
  std::vector<raft::Message> responses;
  for (WalThread::Job& job : jobs) {
    disk_.came_back();
    settle(job);
    step_own(job.responses);
    std::move(job.responses.begin(), job.responses.end(), std::back_inserter(responses));
  }
  quiet_.store(disk_.idle(), std::memory_order_relaxed);
  send(std::move(responses));
}

/// Takes over what a job has made durable.
void RaftLoop::settle(WalThread::Job& job) {
  if (!job.snapshot.empty()) {
    (void)storage_->apply_snapshot(job.snapshot);
    memory_snapshot_ = std::max(memory_snapshot_, job.snapshot.metadata.index);
    // Before the responses: they let raft hand out the entries behind it.
    hooks_.apply({{}, {}, std::move(job.snapshot)});
  }
  if (!job.entries.empty()) storage_->adopt(job.entries);
  if (!job.state.empty()) storage_->set_hard_state(job.state);
}

void RaftLoop::take_applied(raft::Index index, std::vector<raft::Message> responses) {
  applied_ = index;
  send_back(std::move(responses));
  reads_.applied(index);
  note_memory_snapshot();
  propose_parked_changes();
}

void RaftLoop::apply_conf_change(raft::ConfChange change) {
  run([this, change = std::move(change)] {
    if (auto conf = node_->apply_conf_change(change)) {
      conf_ = *std::move(conf);
    } else {
      logger_.error("refused a membership change of the log", {{"error", conf.error().message}});
    }
  });
}

void RaftLoop::transfer_leader(raft::NodeId target, ReadIndexRounds::Callback done) {
  run([this, target, done = Pledge<void>(std::move(done))]() mutable {
    if (soft_.leader == target) return done({});
    transfers_.push_back({soft_.leader, target, clock_.now(), std::move(done)});
    node_->transfer_leader(target);
  });
}

// --- Turns -----------------------------------------------------------------------------------

void RaftLoop::turn() {
  Inbox in;
  {
    std::lock_guard lock(mutex_);
    std::swap(in, inbox_);
    scheduled_ = false;
    queued_bytes_ = 0;
  }
  for (Task& task : in.tasks) task();
  if (in.messages_lost > 0) note_lost(in.messages_lost);
  for (raft::Message& message : in.messages) step(std::move(message));
  propose_queued(std::move(in.proposals));
  if (!in.reads.empty()) reads_.add(std::move(in.reads), clock_.now());
  stand_if_alone();
  pump();
}

void RaftLoop::tick() {
  const MonoTime now = clock_.now();
  check_disk(now);
  note_tick(now);
  node_->tick();
  stand_if_alone();
  reads_.tick(*node_, now);
  while (!parked_.empty() && !waiters_.waiting(parked_.front().id)) parked_.pop_front();
  check_transfers();
  compact_log();
  pump();
  // A late tick is not made up for: time that this thread did not see must not count.
  next_tick_ = std::max(next_tick_ + tick_, now);
  executor_.post_at(next_tick_, [this] { tick(); });
}

/// After a gap the others may have gone on without this member: what it knows of its role is old.
void RaftLoop::note_tick(MonoTime now) {
  const MonoTime before{Duration(progress_.ticked_at.load(std::memory_order_relaxed))};
  const auto count = now.time_since_epoch().count();
  if (now - before > kTicksOfGap * tick_) {
    progress_.awake_since.store(count, std::memory_order_relaxed);
  }
  progress_.ticked_at.store(count, std::memory_order_relaxed);
}

void RaftLoop::note_lost(std::uint64_t messages) {
  progress_.messages_lost.fetch_add(messages, std::memory_order_relaxed);
  logger_.warn("dropped messages of peers: too many wait", {{"messages", messages}});
}

void RaftLoop::step(raft::Message message) {
  const auto taken = node_->step(std::move(message));
  if (taken) return;
  const bool damage = taken.error() == raft::Refusal::kLogTooShort;
  logger_.log(damage ? LogLevel::kError : LogLevel::kDebug, "refused a raft message",
              {{"reason", std::string_view(raft::reason(taken.error()))}});
}

void RaftLoop::propose_queued(std::vector<Proposal> fresh) {
  if (soft_.leader == raft::kNoNode) {
    std::move(fresh.begin(), fresh.end(), std::back_inserter(parked_));
    return;
  }
  if (!parked_.empty()) {
    std::vector<Proposal> late;
    for (Proposal& p : parked_) {
      if (waiters_.waiting(p.id)) late.push_back(std::move(p));
    }
    parked_.clear();
    propose_batch(late);
  }
  propose_batch(fresh);
}

/// A leader turns a membership change into an empty entry, unanswered, until it has applied the
/// first entry of its term.
bool RaftLoop::may_change_members() const {
  if (soft_.leader == raft::kNoNode) return false;
  const auto term = storage_->term(applied_);
  return term && term->value() == progress_.term;
}

void RaftLoop::propose_change(raft::ConfChange change) {
  if (!waiters_.waiting(change.id)) return;
  if (!may_change_members()) return parked_changes_.push_back(std::move(change));
  const auto taken = node_->propose_conf_change(change);
  if (taken) return;
  if (taken.error() == raft::Refusal::kNoLeader) {
    return parked_changes_.push_back(std::move(change));
  }
  waiters_.answer(change.id, tl::unexpected(dropped()));
}

void RaftLoop::propose_parked_changes() {
  if (parked_changes_.empty() || !may_change_members()) return;
  for (raft::ConfChange& change : std::exchange(parked_changes_, {})) {
    propose_change(std::move(change));
  }
}

void RaftLoop::propose_batch(std::span<Proposal> batch) {
  if (batch.empty()) return;
  std::vector<SharedBytes> data;
  data.reserve(batch.size());
  for (const Proposal& p : batch) data.push_back(p.data);
  const auto taken = node_->propose(data);
  if (taken) return;
  if (taken.error() == raft::Refusal::kNoLeader) {
    std::move(batch.begin(), batch.end(), std::back_inserter(parked_));
    return;
  }
  for (const Proposal& p : batch) waiters_.answer(p.id, tl::unexpected(dropped()));
}

void RaftLoop::pump() {
  for (;;) {
    while (node_->has_ready()) handle(node_->ready());
    const bool leads = soft_.role == raft::Role::kLeader;
    const bool settled = !leads || progress_.committed_index() >= first_own_;
    reads_.ask(*node_, clock_.now(), settled && soft_.leader != raft::kNoNode);
    if (!node_->has_ready()) break;
  }
  note_alone();
}

void RaftLoop::handle(raft::Ready& ready) {
  if (ready.soft_state) note_soft_state(*ready.soft_state);
  if (ready.hard_state) {
    progress_.term = ready.hard_state->term.value();
    progress_.committed = ready.hard_state->commit.value();
  }
  const std::vector<raft::ReadState> read_states = std::move(ready.read_states);
  dispatch(ready.messages);
  for (const raft::ReadState& state : read_states) reads_.answered(state);
}

void RaftLoop::dispatch(raft::MessageList& messages) {
  std::vector<raft::Message> outgoing;
  std::vector<raft::Message> votes;  // wait for our own term and log to be durable
  std::vector<raft::Message> settled;
  std::vector<WalThread::Job> appends;
  for (raft::Message& m : messages) {
    if (m.type == raft::MessageType::kVote) {
      votes.push_back(std::move(m));
    } else if (m.to == raft::kLocalAppendThread) {
      WalThread::Job job;
      if (m.term != raft::Term{}) job.state = {m.term, m.vote, m.commit};
      job.entries = std::move(m.entries);
      if (m.has_snapshot) {
        conf_ = node_->conf_state();  // became the snapshot's as it was stepped
        job.snapshot = std::move(m.snapshot);
      }
      job.responses = std::move(m.responses);
      if (is_durable(job)) {
        settle(job);
        hooks_.note_state(job.state);
        settled = std::move(job.responses);
      } else {
        note_append();
        appends.push_back(std::move(job));
      }
    } else if (m.to == raft::kLocalApplyThread) {
      hooks_.apply({std::move(m.entries), std::move(m.responses)});
    } else if (m.type == raft::MessageType::kSnap) {
      divert_snapshot(std::move(m));
    } else {
      if (m.type == raft::MessageType::kHeartbeat) note_heartbeat(m.to);
      outgoing.push_back(std::move(m));
    }
  }
  if (!votes.empty()) {
    note_append();
    appends.push_back({{}, {}, {}, std::move(votes)});
  }
  step_own(settled);
  std::move(settled.begin(), settled.end(), std::back_inserter(outgoing));
  send(std::move(outgoing));
  // After the messages: the peers' way to a durable entry is longer than ours.
  for (WalThread::Job& job : appends) hooks_.append(std::move(job));
}

/// Whether a job brings nothing that anybody must wait for: as etcd, a new commit index alone needs
/// no sync, and everything before it is on disk.
bool RaftLoop::is_durable(const WalThread::Job& job) const {
  const raft::HardState& known = storage_->hard_state();
  const bool moved =
      !job.state.empty() && (job.state.term != known.term || job.state.vote != known.vote);
  return disk_.idle() && !moved && job.entries.empty() && job.snapshot.empty();
}

void RaftLoop::note_append() {
  disk_.handed_over(clock_.now());
  quiet_.store(false, std::memory_order_relaxed);
}

/// Counts a heartbeat that leaves more than an interval late.
void RaftLoop::note_heartbeat(raft::NodeId to) {
  const MonoTime now = clock_.now();
  const auto [it, first] = heartbeats_.try_emplace(to, now);
  if (!first && now - it->second > 2 * tick_) {
    progress_.late_heartbeats.fetch_add(1, std::memory_order_relaxed);
  }
  it->second = now;
}

void RaftLoop::note_soft_state(const raft::SoftState& state) {
  const bool led = soft_.role == raft::Role::kLeader;
  const bool leads = state.role == raft::Role::kLeader;
  const bool elected = state.leader != raft::kNoNode && state.leader != soft_.leader;
  if (leads && !led) first_own_ = node_->basic_status().last_index;
  if (!leads) heartbeats_.clear();
  soft_ = state;
  progress_.leader = state.leader.value();
  progress_.is_leader = leads;
  if (elected) {
    progress_.leader_elected_at = clock_.now().time_since_epoch().count();
    progress_.leader_changes.fetch_add(1, std::memory_order_relaxed);
    logger_.info("elected leader",
                 {{"leader", id_text(state.leader)}, {"term", progress_.term.load()}});
    reads_.leader_changed();
    run([this] { propose_queued({}); });
  }
  hooks_.leadership(leads, elected);
  check_transfers();
}

void RaftLoop::send_back(std::vector<raft::Message> responses) {
  step_own(responses);
  send(std::move(responses));
}

/// Steps what is addressed to this member; the rest stays.
void RaftLoop::step_own(std::vector<raft::Message>& responses) {
  const auto own = [this](const raft::Message& m) { return m.to == self_; };
  for (raft::Message& m : responses) {
    if (own(m)) step(std::move(m));
  }
  std::erase_if(responses, own);
}

void RaftLoop::send(std::vector<raft::Message> messages) {
  drop_outdated_acks(messages);
  if (!messages.empty()) transport_.send(std::move(messages));
}

// --- A cluster of one ------------------------------------------------------------------------

bool RaftLoop::sole_voter() const {
  return conf_.voters.size() == 1 && conf_.voters.front() == self_ && conf_.voters_outgoing.empty();
}

/// Nobody else can be the leader of a cluster of one: no need to wait for the election time-out.
/// But not before every membership change committed before the restart is known.
void RaftLoop::stand_if_alone() {
  const bool idle = soft_.leader == raft::kNoNode && soft_.role == raft::Role::kFollower;
  if (idle && sole_voter() && applied_ >= replayed_) node_->campaign();
}

void RaftLoop::note_alone() {
  const bool leads = soft_.role == raft::Role::kLeader;
  progress_.alone = leads && sole_voter() && applied_ >= first_own_;
}

void RaftLoop::check_transfers(bool give_up_all) {
  const MonoTime now = clock_.now();
  std::erase_if(transfers_, [&](Transfer& t) {
    const bool changed = soft_.leader != raft::kNoNode && soft_.leader != t.from;
    if (soft_.leader == t.target) {
      t.done({});
    } else if (changed) {
      t.done(tl::unexpected(errors::leader_changed()));
    } else if (give_up_all) {
      t.done(tl::unexpected(errors::stopped()));
    } else if (now - t.since >= request_timeout_) {
      t.done(tl::unexpected(errors::timeout()));
    }
    return changed || give_up_all || now - t.since >= request_timeout_;
  });
}

}  // namespace truss::server
