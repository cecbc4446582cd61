#include "force_new_cluster.h"

#include <map>

#include "truss/raft/codec.h"

namespace truss::server {
namespace {

enum class Vote : std::uint8_t { kVoter, kLearner };

/// Members after the committed entries.
Result<std::map<raft::NodeId, Vote>> find_members(const Opened& opened) {
  std::map<raft::NodeId, Vote> members;
  if (opened.snapshot) {
    const raft::ConfState& conf = opened.snapshot->metadata.conf_state;
    for (const raft::NodeId id : conf.voters) members[id] = Vote::kVoter;
    for (const raft::NodeId id : conf.learners) members[id] = Vote::kLearner;
  }
  for (const raft::Entry& entry : opened.entries) {
    if (entry.type != raft::EntryType::kConfChange) continue;
    TRUSS_ASSIGN(const raft::ConfChange change, raft::decode_conf_change(entry.data.view()));
    if (change.type == raft::ConfChangeType::kRemoveNode) {
      members.erase(change.node_id);
    } else if (change.type != raft::ConfChangeType::kUpdateNode) {
      members[change.node_id] =
          change.type == raft::ConfChangeType::kAddLearnerNode ? Vote::kLearner : Vote::kVoter;
    }
  }
  return members;
}

}  // namespace

Result<> force_new_cluster(Opened& opened, Logger& logger) {
  std::erase_if(opened.entries,
                [&](const raft::Entry& e) { return e.index > opened.hard_state.commit; });
  TRUSS_ASSIGN(const auto members, find_members(opened));
  std::vector<raft::ConfChange> changes;
  // A configuration must never be without a voter: this one comes before the others go.
  const auto add_self = [&](const std::string& context) {
    changes.push_back({0, raft::ConfChangeType::kAddNode, opened.self, SharedBytes::copy(context)});
  };
  const auto self = members.find(opened.self);
  if (self == members.end()) {
    add_self(member_json({.id = opened.self, .peer_urls = {"http://localhost:2380"}}));
  } else if (self->second == Vote::kLearner) {
    add_self(promote_json(opened.self));
  }
  for (const auto& [id, vote] : members) {
    if (id != opened.self) changes.push_back({0, raft::ConfChangeType::kRemoveNode, id, {}});
  }
  std::vector<raft::Entry> forced;
  for (const raft::ConfChange& change : changes) {
    ++opened.hard_state.commit;
    forced.push_back({opened.hard_state.term, opened.hard_state.commit,
                      raft::EntryType::kConfChange, SharedBytes::copy(raft::encoded(change))});
  }
  opened.wal->save(opened.hard_state, forced);
  for (raft::Entry& entry : forced) opened.entries.push_back(std::move(entry));
  logger.info("forcing a new cluster", {{"member-id", std::string_view(id_text(opened.self))},
                                        {"entries", std::uint64_t{changes.size()}}});
  return {};
}

}  // namespace truss::server
