#include <algorithm>

#include "log_request.h"
#include "node.h"
#include "pledge.h"
#include "truss/common/coding.h"
#include "truss/mvcc/errors.h"
#include "truss/mvcc/txn.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

/// Entries that may be committed and not yet applied before new requests are refused.
constexpr std::uint64_t kMaxApplyLag = 5000;

std::string encode_two(std::uint64_t first, std::uint64_t second) {
  std::string body;
  PbWriter out(body);
  out.field_varint(1, first);
  out.field_varint(2, second);
  return body;
}

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
  if (leader == raft::kNoNode || leader == self_) return errors::timeout();
  const bool connected = env_.transport.active_since(leader) != MonoTime{};
  return connected ? errors::timeout() : errors::timeout_connection_lost();
}

// --- Leases ----------------------------------------------------------------------------------

void Node::lease_grant(std::int64_t id, std::int64_t ttl_seconds, ApplyCallback done) {
  while (id == 0) id = static_cast<std::int64_t>(ids_->next() & INT64_MAX);
  propose(Op::kLeaseGrant,
          encode_two(static_cast<std::uint64_t>(ttl_seconds), static_cast<std::uint64_t>(id)),
          std::move(done));
}

void Node::lease_revoke(std::int64_t id, ApplyCallback done) {
  propose(Op::kLeaseRevoke, encode_two(static_cast<std::uint64_t>(id), 0), std::move(done));
}

/// The leader may have been deposed without knowing: it asks a quorum before it extends a life.
void Node::lease_renew(std::int64_t id, absl::AnyInvocable<void(Result<std::int64_t>)> done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (!progress_.is_leader) return done(tl::unexpected(errors::not_leader()));
  linearizable_read_notify([this, id, done = std::move(done)](Result<> read) mutable {
    if (!read) return done(tl::unexpected(std::move(read).error()));
    finish_renewal(id, std::move(done));
  });
}

void Node::finish_renewal(std::int64_t id, absl::AnyInvocable<void(Result<std::int64_t>)> done) {
  const auto renewal = lessor_->renew(lease::LeaseId{id});
  if (!renewal && renewal.error().code == Code::kAborted) {
    auto shared = std::make_shared<Pledge<std::int64_t>>(std::move(done));
    return lessor_->when_gone(lease::LeaseId{id}, [shared] { (*shared)(std::int64_t{0}); });
  }
  if (!renewal && mvcc::errors::is(renewal.error(), mvcc::errors::lease_not_found())) {
    return done(std::int64_t{0});
  }
  if (!renewal) return done(tl::unexpected(renewal.error()));
  if (!renewal->clear_checkpoint) return done(renewal->ttl);
  std::string body;
  PbWriter(body).put_bytes(1, encode_two(static_cast<std::uint64_t>(id), 0));
  propose(Op::kLeaseCheckpoint, body,
          [ttl = renewal->ttl, done = std::move(done)](Result<ApplyResponse> cleared) mutable {
            if (!cleared) return done(tl::unexpected(std::move(cleared).error()));
            done(ttl);
          });
}

// --- Reading ---------------------------------------------------------------------------------

void Node::linearizable_read_notify(DoneCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (progress_.alone) return done({});
  raft_->read(std::move(done));
}

// --- Members ---------------------------------------------------------------------------------

void Node::add_member(std::vector<std::string> peer_urls, bool learner, ApplyCallback done) {
  if (peer_urls.empty()) return done(tl::unexpected(errors::member_bad_urls()));
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      env_.runtime.clock().wall().time_since_epoch());
  Member member{.id = compute_member_id(peer_urls, "", now.count())};
  std::sort(peer_urls.begin(), peer_urls.end());
  member.peer_urls = std::move(peer_urls);
  member.is_learner = learner;
  if (!learner) {
    if (auto ok = check_started(member.id, raft::kNoNode); !ok) {
      return done(tl::unexpected(std::move(ok).error()));
    }
  }
  const auto type =
      learner ? raft::ConfChangeType::kAddLearnerNode : raft::ConfChangeType::kAddNode;
  change_members({0, type, member.id, SharedBytes::copy(member_json(member))}, std::move(done));
}

void Node::remove_member(raft::NodeId id, ApplyCallback done) {
  const auto list = members();
  const auto it =
      std::find_if(list->begin(), list->end(), [id](const Member& m) { return m.id == id; });
  if (it == list->end()) return done(tl::unexpected(errors::member_not_found()));
  if (!it->is_learner) {
    if (auto ok = check_started(raft::kNoNode, id); !ok) {
      return done(tl::unexpected(std::move(ok).error()));
    }
  }
  change_members({0, raft::ConfChangeType::kRemoveNode, id, {}}, std::move(done));
}

void Node::update_member(raft::NodeId id, std::vector<std::string> peer_urls, ApplyCallback done) {
  if (peer_urls.empty()) return done(tl::unexpected(errors::member_bad_urls()));
  Member member{.id = id, .peer_urls = std::move(peer_urls)};
  change_members({0, raft::ConfChangeType::kUpdateNode, id, SharedBytes::copy(member_json(member))},
                 std::move(done));
}

void Node::promote_member(raft::NodeId id, ApplyCallback done) {
  const auto list = members();
  const auto it =
      std::find_if(list->begin(), list->end(), [id](const Member& m) { return m.id == id; });
  if (it == list->end()) return done(tl::unexpected(errors::member_not_found()));
  if (!it->is_learner) return done(tl::unexpected(errors::member_not_learner()));
  if (!progress_.is_leader) return done(tl::unexpected(errors::not_leader()));
  raft_->run([this, id, done = Pledge<ApplyResponse>(std::move(done))]() mutable {
    raft::Index leader_match;
    raft::Index learner_match;
    for (const raft::PeerStatus& peer : raft_->node().status().peers) {
      if (peer.progress.id == self_) leader_match = peer.progress.match;
      if (peer.progress.id == id) learner_match = peer.progress.match;
    }
    if (learner_match.value() * 10 < leader_match.value() * 9) {
      return done(tl::unexpected(errors::learner_not_ready()));
    }
    change_members({0, raft::ConfChangeType::kAddNode, id, SharedBytes::copy(promote_json(id))},
                   std::move(done));
  });
}

Result<> Node::check_started(raft::NodeId added, raft::NodeId removed) const {
  if (!config_.strict_reconfig_check) return {};
  std::size_t voters = added != raft::kNoNode ? 1 : 0;
  std::size_t started = 0;
  bool target_started = true;
  for (const Member& member : *members()) {
    if (member.id == removed) target_started = member.started();
    if (member.is_learner || member.id == removed) continue;
    ++voters;
    if (member.started()) ++started;
  }
  // One started member of one may grow to two; and a member that never started may always go.
  if (added != raft::kNoNode && voters == 2 && started == 1) return {};
  if (removed != raft::kNoNode && !target_started) return {};
  if (voters > 0 && started >= voters / 2 + 1) return {};
  return tl::unexpected(errors::member_not_enough_started());
}

void Node::change_members(raft::ConfChange change, ApplyCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  change.id = ids_->next();
  if (!waiters_.add(change.id, env_.runtime.clock().now(), std::move(done))) return;
  raft_->propose(std::move(change));
}

void Node::move_leader(raft::NodeId target, DoneCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (!progress_.is_leader) return done(tl::unexpected(errors::not_leader()));
  const auto list = members();
  const auto it = std::find_if(list->begin(), list->end(),
                               [target](const Member& m) { return m.id == target; });
  if (it == list->end() || it->is_learner) {
    return done(tl::unexpected(errors::bad_leader_transferee()));
  }
  raft_->transfer_leader(target, std::move(done));
}

}  // namespace truss::server
