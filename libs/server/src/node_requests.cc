#include <algorithm>

#include "log_request.h"
#include "node.h"
#include "truss/common/coding.h"
#include "truss/mvcc/txn.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

/// Entries that may be committed and not yet applied before new requests are refused.
constexpr std::uint64_t kMaxApplyLag = 5000;

}  // namespace

void Node::propose(Op op, ByteView body, ApplyCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (!has_space(op, body)) {
    return raise_no_space(
        [done = std::move(done)]() mutable { done(tl::unexpected(errors::no_space())); });
  }
  const std::uint64_t id = ids_->next();
  submit(id, encode_internal_request(op, body, id), std::move(done));
}

void Node::submit(std::uint64_t id, SharedBytes data, ApplyCallback done) {
  if (progress_.committed > progress_.applied + kMaxApplyLag) {
    return done(tl::unexpected(errors::too_many_requests()));
  }
  if (data.size() > config_.max_request_bytes) {
    return done(tl::unexpected(errors::request_too_large()));
  }
  if (!waiters_.add(id, env_.runtime.clock().now(), std::move(done))) return;
  if (!raft_->propose(id, std::move(data))) {
    waiters_.answer(id, tl::unexpected(errors::too_many_requests()));
  }
}

/// A put costs 256 bytes beside its key and value, and each put of a txn takes two bytes of the
/// request or more: while this bound fits, nothing need be decoded.
bool Node::has_space(Op op, ByteView body) const {
  if (op != Op::kPut && op != Op::kTxn && op != Op::kLeaseGrant) return true;
  if (quota_->available(static_cast<std::int64_t>(body.size()) * 129 + 256)) return true;
  if (op == Op::kLeaseGrant) return quota_->available(mvcc::kLeaseGrantCost);
  if (op == Op::kPut) {
    const auto put = decode_put_request(body);
    return !put || quota_->available(mvcc::put_cost(*put));
  }
  const auto txn = decode_txn_request(body);
  return !txn || quota_->available(mvcc::txn_cost(*txn, level_ >= CompatLevel::k37));
}

void Node::raise_no_space(Task done) {
  if (alarms_.active(AlarmType::kNoSpace) || raising_no_space_.exchange(true)) return done();
  env_.logger.warn("alarm raised", {{"alarm", std::string_view("NOSPACE")},
                                    {"quota-size-bytes", quota_->limit_bytes()}});
  std::string body;
  PbWriter out(body);
  out.put_varint(1, static_cast<std::uint64_t>(AlarmAction::kActivate));
  out.put_varint(2, self_.value());
  out.put_varint(3, static_cast<std::uint64_t>(AlarmType::kNoSpace));
  propose(Op::kAlarm, body, [this, done = std::move(done)](const Result<ApplyResponse>&) mutable {
    raising_no_space_ = false;
    done();
  });
}

Error Node::timeout_error(MonoTime since) const {
  const MonoTime elected{Duration(progress_.leader_elected_at.load())};
  const MonoTime lost = elected - 2 * config_.election_timeout;
  if (since > lost && since < elected) return errors::timeout_leader_fail();
  const raft::NodeId leader(progress_.leader.load());
  if (leader == raft::kNoNode) return errors::timeout();
  return stayed_connected(leader, since) ? errors::timeout() : errors::timeout_connection_lost();
}

/// Whether this member has been connected since then to the leader, or as leader to a quorum.
bool Node::stayed_connected(raft::NodeId leader, MonoTime since) const {
  const auto connected = [&](raft::NodeId id) {
    const MonoTime active = env_.transport.active_since(id);
    return id == self_ || (active != MonoTime{} && active < since);
  };
  if (leader != self_) return connected(leader);
  const auto list = members();
  const auto count =
      std::count_if(list->begin(), list->end(), [&](const Member& m) { return connected(m.id); });
  return static_cast<std::size_t>(count) >= list->size() / 2 + 1;
}

// --- Reading ---------------------------------------------------------------------------------

void Node::linearizable_read_notify(DoneCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (progress_.alone) return done({});
  raft_->read(std::move(done));
}

}  // namespace truss::server
