#include "force_new_cluster.h"

#include <set>

#include "truss/raft/codec.h"

namespace truss::server {
namespace {

/// Members after the committed entries.
Result<std::set<raft::NodeId>> member_ids(const Opened& opened) {
  std::set<raft::NodeId> ids;
  if (opened.snapshot) {
    const raft::ConfState& conf = opened.snapshot->metadata.conf_state;
    ids.insert(conf.voters.begin(), conf.voters.end());
    ids.insert(conf.learners.begin(), conf.learners.end());
  }
  for (const raft::Entry& entry : opened.entries) {
    if (entry.type != raft::EntryType::kConfChange) continue;
    TRUSS_ASSIGN(const raft::ConfChange change, raft::decode_conf_change(entry.data.view()));
    if (change.type == raft::ConfChangeType::kRemoveNode) {
      ids.erase(change.node_id);
    } else if (change.type != raft::ConfChangeType::kUpdateNode) {
      ids.insert(change.node_id);
    }
  }
  return ids;
}

}  // namespace

Result<> force_new_cluster(Opened& opened, Logger& logger) {
  std::erase_if(opened.entries,
                [&](const raft::Entry& e) { return e.index > opened.hard_state.commit; });
  TRUSS_ASSIGN(const std::set<raft::NodeId> ids, member_ids(opened));
  std::vector<raft::ConfChange> changes;
  if (!ids.contains(opened.self)) {
    Member self{.id = opened.self, .peer_urls = {"http://localhost:2380"}};
    changes.push_back(
        {0, raft::ConfChangeType::kAddNode, opened.self, SharedBytes::copy(member_json(self))});
  }
  for (const raft::NodeId id : ids) {
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
