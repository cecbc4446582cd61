#include "reconfiguration.h"

#include <algorithm>

#include "truss/server/errors.h"

namespace truss::server {
namespace {

constexpr Duration kHealthInterval = std::chrono::seconds(5);

std::size_t quorum(std::size_t voters) { return voters / 2 + 1; }

Result<> require(bool fine, Error (*error)()) {
  if (fine) return {};
  return tl::unexpected(error());
}

}  // namespace

Reconfiguration::Reconfiguration(std::vector<Member> members, raft::NodeId self,
                                 const Transport& transport, MonoTime now, CompatLevel level)
    : self_(self), transport_(transport), now_(now), level_(level) {
  for (Member& member : members) {
    (member.is_learner ? learners_ : voters_).push_back(std::move(member));
  }
}

/// 3.4.23 wants every voter connected; later releases a quorum of the larger cluster, in which the
/// new member is down.
Result<> Reconfiguration::may_add(bool learner) const {
  const std::size_t voters = voters_.size();
  const bool one_of_one = started() == 1 && voters == 1;
  if (!learner && !one_of_one) {
    TRUSS_TRY(require(started() >= quorum(voters + 1), errors::member_not_enough_started));
  }
  if (level_ == CompatLevel::k34) return require(connected() == voters, errors::unhealthy);
  return require(voters == 1 || connected() >= quorum(voters + 1), errors::unhealthy);
}

Result<> Reconfiguration::may_remove(raft::NodeId id) const {
  const auto target =
      std::find_if(voters_.begin(), voters_.end(), [id](const Member& m) { return m.id == id; });
  if (target == voters_.end()) return {};
  const std::size_t remaining = voters_.size() - 1;
  const std::size_t still_started = started() - (target->started() ? 1 : 0);
  TRUSS_TRY(require(still_started >= quorum(remaining), errors::member_not_enough_started));
  const bool down = id != self_ && transport_.active_since(id) == MonoTime{};
  if (down) return {};
  return require(connected() >= quorum(remaining) + 1, errors::unhealthy);
}

/// The learner counts as one more voter, and as started.
Result<> Reconfiguration::may_promote() const {
  return require(started() + 1 >= quorum(voters_.size() + 1), errors::member_not_enough_started);
}

std::size_t Reconfiguration::connected() const {
  const MonoTime since = now_ - kHealthInterval;
  return static_cast<std::size_t>(
      std::count_if(voters_.begin(), voters_.end(), [&](const Member& m) {
        const MonoTime active = m.id == self_ ? MonoTime{} : transport_.active_since(m.id);
        return m.id == self_ || (active != MonoTime{} && active < since);
      }));
}

std::size_t Reconfiguration::started() const {
  return static_cast<std::size_t>(
      std::count_if(voters_.begin(), voters_.end(), [](const Member& m) { return m.started(); }));
}

}  // namespace truss::server
