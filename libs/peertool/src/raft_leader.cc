#include "raft_leader.h"

#include <algorithm>

#include "truss/common/check.h"
#include "truss/raft/codec.h"

namespace truss::peertool {
namespace {

/// Entries kept behind the applied one, for a follower that asks again.
constexpr std::uint64_t kKept = 20'000;

}  // namespace

Result<std::unique_ptr<RaftLeader>> RaftLeader::create(raft::NodeId self, raft::NodeId other,
                                                       Send send) {
  std::unique_ptr<RaftLeader> out(new RaftLeader(self, std::move(send)));
  raft::Config config;
  config.id = self;
  config.max_size_per_message = 512u << 10;
  config.max_inflight_messages = 4096;
  TRUSS_ASSIGN(out->node_,
               raft::RawNode::create(config, out->storage_, out->random_, out->logger_));
  std::vector<raft::Peer> peers = {{self, {}}, {other, {}}};
  std::sort(peers.begin(), peers.end(),
            [](const raft::Peer& a, const raft::Peer& b) { return a.id < b.id; });
  TRUSS_TRY(out->node_->bootstrap(peers));
  out->pump();
  return out;
}

void RaftLeader::campaign() {
  node_->campaign();
  pump();
}

void RaftLeader::tick() {
  node_->tick();
  pump();
}

void RaftLeader::step(raft::Message message) {
  // What raft refuses (a message of an old term's peer, say) is no business of a measurement.
  static_cast<void>(node_->step(std::move(message)));
  pump();
}

Result<raft::Index> RaftLeader::propose(SharedBytes data) {
  if (!node_->propose(std::move(data))) {
    return fail(Code::kFailedPrecondition, "the cluster takes no proposals now");
  }
  pump();
  return storage_.last_index();
}

void RaftLeader::unreachable(raft::NodeId id) { node_->report_unreachable(id); }

bool RaftLeader::leads() const {
  const auto status = node_->basic_status();
  if (status.soft_state.role != raft::Role::kLeader) return false;
  const auto term = storage_.term(status.hard_state.commit);
  return term && *term == status.hard_state.term;
}

void RaftLeader::pump() {
  while (node_->has_ready()) {
    raft::Ready& ready = node_->ready();
    if (ready.hard_state) storage_.set_hard_state(*ready.hard_state);
    storage_.append(ready.entries);
    std::vector<raft::Message> out;
    for (raft::Message& message : ready.messages) {
      // Our log reaches back far enough for a member that was started with us.
      if (message.type != raft::MessageType::kSnap) out.push_back(std::move(message));
    }
    if (!out.empty()) send_(std::move(out));
    apply(ready.committed_entries);
    node_->advance();
  }
}

void RaftLeader::apply(const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& entry : entries) {
    applied_ = entry.index;
    if (entry.type != raft::EntryType::kConfChange) continue;
    if (const auto change = raft::decode_conf_change(entry.data.view())) {
      static_cast<void>(node_->apply_conf_change(*change));
    }
  }
  const std::uint64_t first = storage_.first_index().value();
  if (applied_.value() > first + 2 * kKept) {
    static_cast<void>(storage_.compact(raft::Index(applied_.value() - kKept)));
  }
}

}  // namespace truss::peertool
