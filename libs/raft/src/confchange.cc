#include <algorithm>
#include <iterator>
#include <string>

#include "truss/common/check.h"
#include "truss/raft/membership.h"

namespace truss::raft {

namespace {

using Ids = std::vector<NodeId>;

constexpr const char* kReservedId = "a member can't have the id of a storage thread";

bool contains(const Ids& ids, NodeId id) { return std::binary_search(ids.begin(), ids.end(), id); }

void insert(Ids& ids, NodeId id) {
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at == ids.end() || *at != id) ids.insert(at, id);
}

void erase(Ids& ids, NodeId id) {
  if (contains(ids, id)) ids.erase(std::lower_bound(ids.begin(), ids.end(), id));
}

Unexpected refuse(const char* why) { return fail(Code::kFailedPrecondition, why); }

template <class Peers>
auto position(Peers& peers, NodeId id) {
  return std::lower_bound(peers.begin(), peers.end(), id,
                          [](const Progress& p, NodeId wanted) { return p.id < wanted; });
}

/// A membership while changes are made to it.
class Draft {
 public:
  Draft(const Membership& from, Index last_index, const Inflights& window)
      : now_(from), last_index_(last_index), window_(window) {}

  Membership& now() { return now_; }

  void apply(std::span<const ConfChangeSingle> changes) {
    for (const ConfChangeSingle& change : changes) {
      if (change.node_id == kNoNode) continue;  // cancelled by the owner
      switch (change.type) {
        case ConfChangeType::kAddNode:
          make_voter(change.node_id);
          break;
        case ConfChangeType::kAddLearnerNode:
          make_learner(change.node_id);
          break;
        case ConfChangeType::kRemoveNode:
          remove(change.node_id);
          break;
        case ConfChangeType::kUpdateNode:
          break;
      }
    }
  }

  void drop_peer(NodeId id) { now_.peers.erase(position(now_.peers, id)); }

 private:
  Progress& track(NodeId id) {
    const auto at = position(now_.peers, id);
    if (at != now_.peers.end() && at->id == id) return *at;
    Progress fresh(id, std::max(last_index_, Index{1}), window_);
    fresh.recent_active = true;  // else the next quorum check would count it as dead
    return *now_.peers.insert(at, std::move(fresh));
  }

  void make_voter(NodeId id) {
    track(id).learner = false;
    erase(now_.config.learners, id);
    erase(now_.config.learners_next, id);
    insert(now_.config.voters, id);
  }

  void make_learner(NodeId id) {
    Progress& peer = track(id);
    if (peer.learner) return;
    erase(now_.config.voters, id);
    if (contains(now_.config.voters_outgoing, id)) {
      insert(now_.config.learners_next, id);  // still a voter of the outgoing half
      return;
    }
    peer.learner = true;
    insert(now_.config.learners, id);
  }

  void remove(NodeId id) {
    if (now_.find(id) == nullptr) return;
    erase(now_.config.voters, id);
    erase(now_.config.learners, id);
    erase(now_.config.learners_next, id);
    if (!contains(now_.config.voters_outgoing, id)) drop_peer(id);
  }

  Membership now_;
  Index last_index_;
  const Inflights& window_;
};

std::size_t difference(const Ids& a, const Ids& b) {
  Ids out;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out.size();
}

/// Invariant: members and peers are the same ids; learner flags follow the config; next learners
/// are voters of the outgoing half.
void check_sound(const Membership& m) {
  Ids members = all_voters(m.config);
  for (NodeId id : m.config.learners) {
    TRUSS_CHECK(!contains(members, id), "a learner is also a voter");
    TRUSS_CHECK(m.find(id) != nullptr && m.find(id)->learner, "a learner is tracked as a voter");
  }
  for (NodeId id : m.config.learners_next) {
    TRUSS_CHECK(contains(m.config.voters_outgoing, id), "a next learner is no outgoing voter");
  }
  for (NodeId id : members) TRUSS_CHECK(m.find(id) != nullptr, "a voter is not tracked");
  TRUSS_CHECK(m.peers.size() == members.size() + m.config.learners.size(), "a stranger is tracked");
  TRUSS_CHECK(m.joint() || (m.config.learners_next.empty() && !m.config.auto_leave),
              "left-overs of a joint configuration");
}

Result<Membership> finish(Draft& draft) {
  check_sound(draft.now());
  return std::move(draft.now());
}

std::vector<ConfChangeSingle> singles(const Ids& ids, ConfChangeType type) {
  std::vector<ConfChangeSingle> out;
  for (NodeId id : ids) out.push_back({type, id});
  return out;
}

}  // namespace

Progress* Membership::find(NodeId id) {
  for (Progress& peer : peers) {
    if (peer.id == id) return &peer;
  }
  return nullptr;
}

const Progress* Membership::find(NodeId id) const {
  return const_cast<Membership*>(this)->find(id);
}

Result<Membership> Changer::simple(std::span<const ConfChangeSingle> changes) const {
  if (current_.joint()) return refuse("can't apply simple config change in joint config");
  if (names_storage_thread(changes)) return refuse(kReservedId);
  Draft draft(current_, last_index_, window_);
  draft.apply(changes);
  if (draft.now().config.voters.empty()) return refuse("removed all voters");
  if (difference(current_.config.voters, draft.now().config.voters) > 1) {
    return refuse("more than one voter changed without entering joint config");
  }
  return finish(draft);
}

Result<Membership> Changer::enter_joint(bool auto_leave,
                                        std::span<const ConfChangeSingle> changes) const {
  if (current_.joint()) return refuse("config is already joint");
  if (current_.config.voters.empty()) return refuse("can't make a zero-voter config joint");
  if (names_storage_thread(changes)) return refuse(kReservedId);
  Draft draft(current_, last_index_, window_);
  draft.now().config.voters_outgoing = current_.config.voters;
  draft.apply(changes);
  if (draft.now().config.voters.empty()) return refuse("removed all voters");
  draft.now().config.auto_leave = auto_leave;
  return finish(draft);
}

Result<Membership> Changer::leave_joint() const {
  if (!current_.joint()) return refuse("can't leave a non-joint config");
  Draft draft(current_, last_index_, window_);
  ConfState& config = draft.now().config;
  for (NodeId id : config.learners_next) {
    insert(config.learners, id);
    draft.now().find(id)->learner = true;
  }
  config.learners_next.clear();
  for (NodeId id : config.voters_outgoing) {
    if (!contains(config.voters, id) && !contains(config.learners, id)) draft.drop_peer(id);
  }
  config.voters_outgoing.clear();
  config.auto_leave = false;
  return finish(draft);
}

Result<Membership> Changer::apply(const ConfChangeV2& change) const {
  if (leaves_joint(change)) return leave_joint();
  if (change.transition == ConfChangeTransition::kAuto && change.changes.size() <= 1) {
    return simple(change.changes);
  }
  const bool auto_leave = change.transition != ConfChangeTransition::kJointExplicit;
  return enter_joint(auto_leave, change.changes);
}

Result<Membership> Changer::restore(const ConfState& config) const {
  const Membership nobody;
  Draft draft(nobody, last_index_, window_);
  draft.apply(singles(config.voters_outgoing, ConfChangeType::kAddNode));
  if (!config.voters_outgoing.empty()) {
    draft.now().config.voters_outgoing = draft.now().config.voters;
    draft.apply(singles(config.voters_outgoing, ConfChangeType::kRemoveNode));
  }
  draft.apply(singles(config.voters, ConfChangeType::kAddNode));
  draft.apply(singles(config.learners, ConfChangeType::kAddLearnerNode));
  draft.apply(singles(config.learners_next, ConfChangeType::kAddLearnerNode));
  draft.now().config.auto_leave = config.auto_leave;

  ConfState wanted = config;
  for (Ids* ids :
       {&wanted.voters, &wanted.learners, &wanted.voters_outgoing, &wanted.learners_next}) {
    std::sort(ids->begin(), ids->end());
  }
  const bool loose = config.voters_outgoing.empty() && config.auto_leave;
  const bool reserved =
      !draft.now().peers.empty() && is_storage_thread(draft.now().peers.back().id);
  if (loose || reserved || draft.now().config != wanted) {
    return fail(Code::kCorruption, "raft conf state: its sets of members contradict each other");
  }
  return finish(draft);
}

ConfChangeV2 as_v2(const ConfChange& change) {
  return {ConfChangeTransition::kAuto, {{change.type, change.node_id}}, change.context};
}

bool leaves_joint(const ConfChangeV2& change) {
  return change.transition == ConfChangeTransition::kAuto && change.changes.empty();
}

bool names_storage_thread(std::span<const ConfChangeSingle> changes) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const ConfChangeSingle& c) { return is_storage_thread(c.node_id); });
}

std::vector<NodeId> all_voters(const ConfState& config) {
  std::vector<NodeId> out;
  std::set_union(config.voters.begin(), config.voters.end(), config.voters_outgoing.begin(),
                 config.voters_outgoing.end(), std::back_inserter(out));
  return out;
}

}  // namespace truss::raft
