#include <deque>
#include <memory>

#include "script.h"
#include "truss/common/check.h"
#include "truss/common/log.h"
#include "truss/common/random.h"
#include "truss/raft/codec.h"
#include "truss/raft/membership.h"
#include "truss/raft/raw_node.h"

// Any messages, in any order, between ticks, proposals, work and restarts of one node: its
// invariants hold after each, what it refuses changes nothing, terms and commit indexes never go
// back, a vote is given once a term, and what it stored lets it start again.

using namespace truss;
using namespace truss::raft;

namespace {

class Node {
 public:
  explicit Node(Script& script) : script_(script), random_(1) {
    const std::uint8_t options = script.byte();
    config_.id = NodeId{1};
    config_.check_invariants = true;
    config_.async_storage_writes = (options & 1) != 0;
    config_.check_quorum = (options & 2) != 0;
    config_.pre_vote = (options & 4) != 0;
    config_.step_down_on_removal = (options & 8) != 0;
    config_.max_inflight_messages = (options & 16) != 0 ? 2 : 256;
    config_.max_size_per_message = (options & 32) != 0 ? 8 : kNoLimit;
    config_.read_mode = (options & 66) == 66 ? ReadMode::kLease : ReadMode::kSafe;
    Snapshot start;
    start.metadata = {
        {.voters = {NodeId{1}, NodeId{2}, NodeId{3}}, .learners = {NodeId{4}}}, Index{5}, Term{2}};
    TRUSS_CHECK(storage_.apply_snapshot(start).has_value());
    storage_.set_hard_state({Term{2}, kNoNode, Index{5}});
    applied_ = start.metadata.index;
    conf_state_ = start.metadata.conf_state;
    restart();
  }

  void run() {
    while (!script_.done()) {
      act();
      check_monotonic();
    }
  }

 private:
  void act() {
    switch (const std::uint8_t what = script_.byte() % 16; what) {
      case 0:
        return node_->tick();
      case 1:
        return work();
      case 2:
        return run_append();
      case 3:
        return run_apply();
      case 4:
        return ask();
      case 5:
        return compact();
      case 6:
        if (std::optional<Message> m = wire_message(script_)) step(*std::move(m));
        return;
      case 7:
        if (script_.byte() < 32) restart();
        return;
      default:
        return step(near_message(script_, node_->basic_status()));
    }
  }

  void step(Message m) {
    // In async mode the owner must know whom it lets speak as a storage thread.
    if (config_.async_storage_writes && is_storage_thread(m.from)) return;
    const BasicStatus before = node_->basic_status();
    if (node_->step(std::move(m)).has_value()) return;
    const BasicStatus after = node_->basic_status();
    TRUSS_CHECK(after.hard_state == before.hard_state && after.soft_state == before.soft_state &&
                    after.last_index == before.last_index,
                "a refused message changed something");
  }

  void ask() {
    const std::uint8_t what = script_.byte();
    const NodeId target{what / 16u};
    switch (what % 8) {
      case 0:
        return node_->campaign();
      case 1:
        return (void)node_->propose(SharedBytes::copy(script_.take(4)));
      case 2:
        return node_->read_index(SharedBytes::copy(script_.take(4)));
      case 3:
        return node_->transfer_leader(target);
      case 4:
        return node_->forget_leader();
      case 5:
        return node_->step_down();
      case 6:
        return node_->report_snapshot(target, script_.byte() % 2 == 0);
      default:
        return (void)node_->propose_conf_change(
            ConfChangeV2{static_cast<ConfChangeTransition>(script_.byte() % 3),
                         {{static_cast<ConfChangeType>(script_.byte() % 4), target}},
                         {}});
    }
  }

  void work() {
    if (!node_->has_ready()) return;
    Ready& ready = node_->ready();
    if (!config_.async_storage_writes) {
      store(ready.hard_state.value_or(HardState{}), ready.entries, ready.snapshot);
      apply(ready.committed_entries);
      return node_->advance();
    }
    for (Message& m : ready.messages) {
      if (m.to == kLocalAppendThread)
        append_work_.push_back(std::move(m));
      else if (m.to == kLocalApplyThread)
        apply_work_.push_back(std::move(m));
    }
  }

  void run_append() {
    if (append_work_.empty()) return;
    Message m = std::move(append_work_.front());
    append_work_.pop_front();
    store({m.term, m.vote, m.commit}, m.entries, m.snapshot);
    respond(m);
  }

  void run_apply() {
    if (apply_work_.empty()) return;
    Message m = std::move(apply_work_.front());
    apply_work_.pop_front();
    apply(m.entries);
    respond(m);
  }

  void respond(Message& m) {
    for (Message& response : m.responses) {
      if (response.to == config_.id) (void)node_->step(std::move(response));
    }
  }

  void store(const HardState& state, const std::vector<Entry>& entries, const Snapshot& snapshot) {
    if (!state.empty()) storage_.set_hard_state(state);
    if (!snapshot.empty()) {
      TRUSS_CHECK(storage_.apply_snapshot(snapshot).has_value(), "an old snapshot to be stored");
      applied_ = snapshot.metadata.index;
      conf_state_ = snapshot.metadata.conf_state;
    }
    storage_.append(entries);
  }

  void apply(const std::vector<Entry>& entries) {
    for (const Entry& e : entries) {
      if (e.index <= applied_) continue;
      TRUSS_CHECK(e.index == applied_ + 1, "applied out of order");
      applied_ = e.index;
      if (e.type == EntryType::kConfChange) {
        if (const auto change = decode_conf_change(e.data.view())) reconfigure(as_v2(*change));
      } else if (e.type == EntryType::kConfChangeV2) {
        if (const auto change = decode_conf_change_v2(e.data.view())) reconfigure(*change);
      }
    }
  }

  void reconfigure(const ConfChangeV2& change) {
    if (Result<ConfState> applied = node_->apply_conf_change(change)) conf_state_ = *applied;
  }

  void compact() {
    // Only what a restart would find committed may be kept instead of the log.
    if (applied_ > storage_.hard_state().commit || applied_ > storage_.last_index()) return;
    if (storage_.create_snapshot(applied_, conf_state_, {})) (void)storage_.compact(applied_);
  }

  void restart() {
    append_work_.clear();
    apply_work_.clear();
    config_.applied = std::min(applied_, storage_.hard_state().commit);
    applied_ = config_.applied;
    storage_.set_conf_state(conf_state_);
    auto made = RawNode::create(config_, storage_, random_, log_);
    TRUSS_CHECK(made.has_value(), made ? "" : made.error().message);
    node_ = *std::move(made);
    last_ = node_->basic_status().hard_state;
  }

  void check_monotonic() {
    const HardState now = node_->basic_status().hard_state;
    TRUSS_CHECK(now.term >= last_.term, "a term went back");
    TRUSS_CHECK(now.commit >= last_.commit, "a commit index went back");
    TRUSS_CHECK(now.term != last_.term || last_.vote == kNoNode || now.vote == last_.vote,
                "a second vote in a term");
    last_ = now;
  }

  Script& script_;
  SeededRandom random_;
  NullLogger log_;
  Config config_;
  MemoryStorage storage_;
  std::unique_ptr<RawNode> node_;
  std::deque<Message> append_work_;
  std::deque<Message> apply_work_;
  Index applied_;
  ConfState conf_state_;
  HardState last_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script(ByteView(reinterpret_cast<const char*>(data), size));
  Node(script).run();
  return 0;
}
