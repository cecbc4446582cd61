#include "truss/raft/ready.h"

#include <utility>

#include "node.h"
#include "truss/common/check.h"
#include "truss/raft/codec.h"

namespace truss::raft {

namespace {

/// Room for more entries than this is given back rather than kept.
constexpr std::size_t kMaxKeptEntries = 1024;
constexpr std::size_t kMaxKeptMessages = 4096;

void make_fresh(Message& m) {
  if (m.has_snapshot || !m.responses.empty() || m.entries.capacity() > kMaxKeptEntries) {
    m = Message{};
    return;
  }
  m.type = MessageType::kHup;
  m.to = m.from = m.vote = kNoNode;
  m.term = m.log_term = Term{};
  m.index = m.commit = m.reject_hint = Index{};
  m.reject = false;
  m.entries.clear();
  m.context = SharedBytes();
}

std::uint64_t encoded_size(std::span<const Entry> entries) {
  std::uint64_t bytes = 0;
  for (const Entry& entry : entries) bytes += raft::encoded_size(entry);
  return bytes;
}

}  // namespace

Message& MessageList::add() {
  if (size_ == slots_.size()) slots_.push_back(std::make_unique<Message>());
  return *slots_[size_++];
}

void MessageList::take(MessageList& from, std::size_t i) {
  add();
  std::swap(slots_[size_ - 1], from.slots_[i]);
}

void MessageList::drop_last() { make_fresh(*slots_[--size_]); }

void MessageList::clear() {
  if (size_ > kMaxKeptMessages) {
    slots_.clear();
    size_ = 0;
  }
  while (size_ > 0) drop_last();
}

StepResult RawNode::Impl::propose() {
  const StepResult result = core.propose(proposal);
  checked();
  return result;
}

void RawNode::Impl::remember() {
  previous_soft = core.soft_state();
  previous_hard = core.hard_state();
}

bool RawNode::Impl::has_ready() const {
  const Unstable& unstable = core.log().unstable();
  const HardState hard = core.hard_state();
  return !core.outbox.empty() || !core.after_append.empty() || !core.read_states.empty() ||
         unstable.has_next() || unstable.has_next_snapshot() ||
         core.log().has_committed(apply_unstable()) || core.soft_state() != previous_soft ||
         (!hard.empty() && hard != previous_hard);
}

Ready& RawNode::Impl::make_ready() {
  TRUSS_CHECK(!awaiting_advance_, "two raft Readys without advance() between them");
  collect_state();
  collect_messages();
  accept();
  return ready_;
}

void RawNode::Impl::collect_state() {
  const Unstable& unstable = core.log().unstable();
  ready_.entries.clear();
  for (Index i = unstable.in_progress(); i < unstable.end(); ++i) {
    ready_.entries.push_back(unstable.at(i));
  }
  ready_.snapshot = unstable.has_next_snapshot() ? *unstable.snapshot() : Snapshot{};
  core.log().next_committed(apply_unstable(), ready_.committed_entries);
  ready_.read_states.clear();
  ready_.read_states.swap(core.read_states);

  const SoftState soft = core.soft_state();
  const HardState hard = core.hard_state();
  ready_.soft_state.reset();
  ready_.hard_state.reset();
  if (soft != previous_soft) ready_.soft_state = soft;
  if (hard != previous_hard && !hard.empty()) ready_.hard_state = hard;
  ready_.must_sync =
      !ready_.entries.empty() || hard.vote != previous_hard.vote || hard.term != previous_hard.term;
  remember();
}

namespace {

/// A candidate that lost its term in a crash would ask in the same term again, perhaps with less of
/// a log, and count the votes that it was given before.
std::size_t before_first_vote(const MessageList& messages) {
  std::size_t count = 0;
  while (count < messages.size() && messages[count].type != MessageType::kVote) ++count;
  return count;
}

}  // namespace

void RawNode::Impl::collect_messages() {
  ready_.messages.clear();
  swap(ready_.messages, core.outbox);
  ready_.send_at_once = before_first_vote(ready_.messages);
  if (async()) {
    collect_storage_messages();
  } else {
    for (std::size_t i = 0; i < core.after_append.size(); ++i) {
      const bool own = core.after_append[i].to == core.id();
      (own ? own_messages_ : ready_.messages).take(core.after_append, i);
    }
    if (needs_append_done()) append_done_ = append_done();
    awaiting_advance_ = true;
  }
  core.after_append.clear();
}

void RawNode::Impl::collect_storage_messages() {
  const bool store = !ready_.entries.empty() || ready_.hard_state || !ready_.snapshot.empty() ||
                     !core.after_append.empty();
  if (store) {
    Message& m = ready_.messages.add();
    m.type = MessageType::kStorageAppend;
    m.to = kLocalAppendThread;
    m.from = core.id();
    m.entries = ready_.entries;
    if (ready_.hard_state) {
      m.term = ready_.hard_state->term;
      m.vote = ready_.hard_state->vote;
      m.commit = ready_.hard_state->commit;
    }
    m.has_snapshot = !ready_.snapshot.empty();
    m.snapshot = ready_.snapshot;
    for (Message& response : core.after_append) m.responses.push_back(std::move(response));
    // Last, so that our own acknowledgement still finds its terms in the unstable log.
    if (needs_append_done()) m.responses.push_back(append_done());
  }
  if (ready_.committed_entries.empty()) return;
  Message& m = ready_.messages.add();
  m.type = MessageType::kStorageApply;
  m.to = kLocalApplyThread;
  m.from = core.id();
  m.entries = ready_.committed_entries;
  Message& done = m.responses.emplace_back();
  done.type = MessageType::kStorageApplyResp;
  done.to = core.id();
  done.from = kLocalApplyThread;
  done.entries = ready_.committed_entries;
}

bool RawNode::Impl::needs_append_done() const {
  return !core.log().unstable().empty() || !ready_.snapshot.empty();
}

/// Carries our term: should it have moved on by the time this comes back, the entries may have
/// been replaced by others of the same index and back again, and must not count as stable.
Message RawNode::Impl::append_done() const {
  Message m;
  m.type = MessageType::kStorageAppendResp;
  m.to = core.id();
  m.from = kLocalAppendThread;
  m.term = core.term();
  if (!core.log().unstable().empty()) {
    const EntryId last = core.log().last();
    m.index = last.index;
    m.log_term = last.term;
  }
  m.has_snapshot = !ready_.snapshot.empty();
  if (m.has_snapshot) m.snapshot.metadata = ready_.snapshot.metadata;
  return m;
}

void RawNode::Impl::accept() {
  core.log().accept_unstable();
  if (ready_.committed_entries.empty()) return;
  // The owner may move the entries away: what advance() needs is taken now.
  applied_index_ = ready_.committed_entries.back().index;
  const bool limited = core.log().applying_limited();
  applied_encoded_ = limited ? encoded_size(ready_.committed_entries) : 0;
  applied_payload_ = payload_size(ready_.committed_entries);
  core.log().accept_applying(applied_index_, applied_encoded_, apply_unstable());
}

void RawNode::Impl::entries_applied(std::span<const Entry> entries) {
  if (entries.empty()) return;
  core.applied_to(entries.back().index, encoded_size(entries), payload_size(entries));
  checked();
}

void RawNode::Impl::advance() {
  TRUSS_CHECK(!async(), "advance() of a raft node in async mode");
  TRUSS_CHECK(awaiting_advance_, "advance() without a raft Ready");
  awaiting_advance_ = false;
  for (Message& m : own_messages_) (void)core.step(m);
  own_messages_.clear();
  if (append_done_) (void)core.step(*append_done_);
  append_done_.reset();
  if (applied_index_ != Index{})
    core.applied_to(applied_index_, applied_encoded_, applied_payload_);
  applied_index_ = Index{};
}

}  // namespace truss::raft
