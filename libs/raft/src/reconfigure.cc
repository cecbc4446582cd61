#include <utility>

#include "core.h"
#include "truss/common/check.h"
#include "truss/raft/text.h"

/// Membership changes, at the moment they are applied (raft thesis §4).
namespace truss::raft {

Result<ConfState> Core::reconfigure(const ConfChangeV2& change) {
  const Changer changer(tracker_.membership(), log_.last_index(), tracker_.window());
  TRUSS_ASSIGN(Membership next, changer.apply(change));
  return switch_to(std::move(next));
}

ConfState Core::switch_to(Membership next) {
  tracker_.switch_to(std::move(next));
  ConfState config = tracker_.config();
  logger_.info("switched configuration",
               {{"raft-id", node_text(id())},
                {"voters", static_cast<std::uint64_t>(config.voters.size())},
                {"learners", static_cast<std::uint64_t>(config.learners.size())},
                {"joint", tracker_.membership().joint()}});
  Leader* leader = leading();
  if (leader == nullptr) return config;

  const Progress* self = tracker_.find(id());
  if (self == nullptr || self->learner) {
    // Without the option it leads on without counting itself, until somebody else is elected.
    if (config_.step_down_on_removal) become_follower(term_, kNoNode, StepDownReason::kRemoved);
    return config;
  }
  if (config.voters.empty()) return config;
  if (try_commit()) {
    broadcast_append();  // the smaller quorum commits more
  } else {
    for (Progress& peer : tracker_.peers()) {
      if (peer.id != id()) send_append(peer, false);  // new members need not wait for a heartbeat
    }
  }
  if (!tracker_.is_voter(leader->transferee)) leader->transferee = kNoNode;
  return config;
}

void Core::leave_joint_when_applied(Leader& leader) {
  if (!tracker_.config().auto_leave || log_.applied() < leader.pending_conf_index) return;
  // Refused while leadership is being transferred; asked again at the next applied entry.
  Entry leave;
  leave.type = EntryType::kConfChangeV2;
  (void)propose(std::span(&leave, 1));
}

void Core::found(std::span<Entry> entries) {
  become_follower(Term{1}, kNoNode);
  const Index last = entries.back().index;
  log_.append(entries);
  log_.set_committed(last);
}

}  // namespace truss::raft
