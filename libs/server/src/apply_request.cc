#include "apply_loop.h"
#include "truss/mvcc/txn.h"
#include "truss/server/errors.h"

namespace truss::server {

Result<> ApplyLoop::check_alarms(bool grows) const {
  if (p_.alarms.active(AlarmType::kCorrupt)) return tl::unexpected(errors::corrupt());
  if (grows && p_.alarms.active(AlarmType::kNoSpace)) return tl::unexpected(errors::no_space());
  return {};
}

/// An operation that no longer fitted was executed all the same (every member must do alike), but
/// its client hears of the shortage, and an alarm stops the next one.
ApplyLoop::Answer ApplyLoop::settle(Answer answer, bool fits) {
  if (!answer) {
    check_damage(answer.error());
    return answer;
  }
  if (fits) return answer;
  hooks_.out_of_space();
  return tl::unexpected(errors::no_space());
}

ApplyLoop::Answer ApplyLoop::execute(const LogRequest& request) {
  return std::visit(
      [&](const auto& op) -> Answer {
        if constexpr (requires { execute(op); }) {
          return execute(op);
        } else {
          return answer();
        }
      },
      request.op);
}

ApplyLoop::Answer ApplyLoop::execute(const mvcc::PutRequest& request) {
  TRUSS_TRY(check_alarms(true));
  const bool fits = p_.quota.available(mvcc::put_cost(request));
  return settle(mvcc::apply_put(p_.store, request).map([](mvcc::PutResult&& result) {
    const std::int64_t revision = result.revision;
    return ApplyResponse{revision, std::move(result)};
  }),
                fits);
}

ApplyLoop::Answer ApplyLoop::execute(const mvcc::DeleteRangeRequest& request) {
  TRUSS_TRY(check_alarms(false));
  return settle(
      mvcc::apply_delete_range(p_.store, request).map([](mvcc::DeleteRangeResult&& result) {
        const std::int64_t revision = result.revision;
        return ApplyResponse{revision, std::move(result)};
      }),
      true);
}

ApplyLoop::Answer ApplyLoop::execute(const mvcc::TxnRequest& request) {
  TRUSS_TRY(check_alarms(mvcc::has_put(request)));
  const bool nested = p_.level >= CompatLevel::k37;
  const bool fits = p_.quota.available(mvcc::txn_cost(request, nested));
  return settle(mvcc::apply_txn(p_.store, request).map([](mvcc::TxnResult&& result) {
    const std::int64_t revision = result.revision;
    return ApplyResponse{revision, std::move(result)};
  }),
                fits);
}

ApplyLoop::Answer ApplyLoop::execute(const LeaseGrantRequest& request) {
  TRUSS_TRY(check_alarms(true));
  const bool fits = p_.quota.available(mvcc::kLeaseGrantCost);
  const auto ttl = p_.lessor.grant(lease::LeaseId{request.id}, request.ttl_seconds);
  if (!ttl) return settle(tl::unexpected(ttl.error()), fits);
  return settle(ApplyResponse{p_.store.current_revision(), LeaseGrantResult{request.id, *ttl}},
                fits);
}

ApplyLoop::Answer ApplyLoop::execute(const LeaseRevokeRequest& request) {
  TRUSS_TRY(check_alarms(false));
  if (auto done = p_.lessor.revoke(lease::LeaseId{request.id}, p_.store); !done) {
    return settle(tl::unexpected(std::move(done).error()), true);
  }
  return answer();
}

ApplyLoop::Answer ApplyLoop::execute(const LeaseCheckpointRequest& request) {
  for (const lease::Checkpoint& checkpoint : request.checkpoints) {
    TRUSS_TRY(p_.lessor.checkpoint(checkpoint));
  }
  return answer();
}

ApplyLoop::Answer ApplyLoop::execute(const AlarmRequest& request) {
  AlarmResult result;
  switch (request.action) {
    case AlarmAction::kGet:
      result.alarms = p_.alarms.list(request.alarm.alarm);
      break;
    case AlarmAction::kActivate:
      result.alarms = p_.alarms.activate(request.alarm);
      break;
    case AlarmAction::kDeactivate:
      result.alarms = p_.alarms.deactivate(request.alarm);
      break;
  }
  return ApplyResponse{p_.store.current_revision(), std::move(result)};
}

void ApplyLoop::compact(std::uint64_t id, const CompactionRequest& request) {
  if (const auto allowed = check_alarms(false); !allowed) {
    p_.waiters.answer(id, tl::unexpected(allowed.error()));
    return;
  }
  Waiters& waiters = p_.waiters;
  mvcc::Store& store = p_.store;
  Task finished;
  if (request.physical) {
    waiters.keep(id);
    finished = [&waiters, &store, id] {
      waiters.answer(id, ApplyResponse{store.current_revision(), {}});
    };
  }
  const auto done = p_.store.compact(request.revision, std::move(finished));
  if (!done) {
    check_damage(done.error());
    p_.waiters.answer(id, tl::unexpected(done.error()));
  } else if (!request.physical) {
    p_.waiters.answer(id, answer());
  }
}

}  // namespace truss::server
