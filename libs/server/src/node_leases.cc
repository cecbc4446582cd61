#include "leader_ask.h"
#include "node.h"
#include "pledge.h"
#include "truss/common/coding.h"
#include "truss/mvcc/errors.h"
#include "truss/server/errors.h"

namespace truss::server {
namespace {

std::string encode_two(std::uint64_t first, std::uint64_t second) {
  std::string body;
  PbWriter out(body);
  out.field_varint(1, first);
  out.field_varint(2, second);
  return body;
}

std::string encode_two(std::int64_t first, std::int64_t second) {
  return encode_two(static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(second));
}

bool is_not_found(const Error& error) {
  return mvcc::errors::is(error, mvcc::errors::lease_not_found());
}

/// While leadership moves another round finds the one who knows.
std::optional<Error> verdict_here(const Error& error) {
  if (mvcc::errors::is(error, mvcc::errors::not_primary_lessor())) return std::nullopt;
  if (error == errors::leader_changed()) return std::nullopt;
  return error;
}

std::optional<Error> verdict_there(const Error& error) {
  if (error.code == Code::kNotFound) return mvcc::errors::lease_not_found();
  return std::nullopt;
}

/// What goes back over HTTP.
template <class T>
Result<T> for_peer(Result<T> answer) {
  if (answer) return answer;
  const Error& error = answer.error();
  if (is_not_found(error)) return fail(Code::kNotFound, "lease not found");
  if (error == errors::timeout() || error == errors::leader_changed()) {
    return fail(Code::kDeadlineExceeded,
                "waiting for node to catch up its applied index has timed out");
  }
  return fail(Code::kInvalidArgument, error.message);
}

}  // namespace

void Node::lease_grant(std::int64_t id, std::int64_t ttl_seconds, ApplyCallback done) {
  while (id == 0) id = static_cast<std::int64_t>(ids_->next() & INT64_MAX);
  propose(Op::kLeaseGrant, encode_two(ttl_seconds, id), std::move(done));
}

void Node::lease_revoke(std::int64_t id, ApplyCallback done) {
  propose(Op::kLeaseRevoke, encode_two(id, 0), std::move(done));
}

// --- Renewal ---------------------------------------------------------------------------------

void Node::lease_renew(std::int64_t id, TtlCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  auto told = [done = std::move(done)](Result<std::int64_t> ttl) mutable {
    if (!ttl && is_not_found(ttl.error())) ttl = 0;
    done(std::move(ttl));
  };
  using Ask = LeaderAsk<std::int64_t>;
  Ask::Question question;
  question.here = [this, id](Ask::Callback answer) { renew_here(id, std::move(answer)); };
  question.there = [this, id](const std::string& url, Duration timeout, Ask::Callback answer) {
    env_.queries.lease_renew(url, id, timeout, std::move(answer));
  };
  question.final_here = verdict_here;
  question.final_there = verdict_there;
  Ask::begin(*desk_, std::move(question), std::move(told));
}

void Node::lease_renew_for_peer(std::int64_t id, TtlCallback done) {
  renew_here(id, [done = std::move(done)](Result<std::int64_t> ttl) mutable {
    done(for_peer(std::move(ttl)));
  });
}

/// A leader that is cut off steps down within two election time-outs, and whoever follows it gives
/// every lease its whole life and one time-out more: what it promised meanwhile is kept. So it need
/// ask nobody while its ticks have run for that long and everything agreed, leases too, is applied.
/// One that was stopped for a while may have been deposed meanwhile. Source: the thought of
/// EtcdServer.ensureLeadership, which trusts the first tick after a stop.
bool Node::surely_leads() const {
  const MonoTime now = env_.runtime.clock().now();
  const MonoTime ticked{Duration(progress_.ticked_at.load(std::memory_order_relaxed))};
  const MonoTime since{Duration(progress_.awake_since.load(std::memory_order_relaxed))};
  const bool awake = now - ticked <= RaftLoop::kTicksOfGap * config_.heartbeat_interval &&
                     now - since >= 2 * config_.election_timeout;
  return awake && progress_.applied >= progress_.committed;
}

/// The leader may have been deposed without knowing: in doubt it asks a quorum.
void Node::renew_here(std::int64_t id, TtlCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (!progress_.is_leader) return done(tl::unexpected(mvcc::errors::not_primary_lessor()));
  if (surely_leads()) return finish_renewal(id, std::move(done));
  linearizable_read_notify([this, id, done = std::move(done)](Result<> read) mutable {
    if (!read) return done(tl::unexpected(std::move(read).error()));
    finish_renewal(id, std::move(done));
  });
}

void Node::finish_renewal(std::int64_t id, TtlCallback done) {
  const auto renewal = lessor_->renew(lease::LeaseId{id});
  if (!renewal && renewal.error().code == Code::kAborted) {
    auto shared = std::make_shared<Pledge<std::int64_t>>(std::move(done));
    return lessor_->when_gone(lease::LeaseId{id}, [shared] {
      (*shared)(tl::unexpected(mvcc::errors::lease_not_found()));
    });
  }
  if (!renewal) return done(tl::unexpected(renewal.error()));
  if (!renewal->clear_checkpoint) return done(renewal->ttl);
  std::string body;
  PbWriter(body).put_bytes(1, encode_two(id, 0));
  propose(Op::kLeaseCheckpoint, body,
          [ttl = renewal->ttl, done = std::move(done)](Result<ApplyResponse> cleared) mutable {
            if (!cleared) return done(tl::unexpected(std::move(cleared).error()));
            done(ttl);
          });
}

// --- Time to live ----------------------------------------------------------------------------

void Node::lease_time_to_live(std::int64_t id, bool keys, LeaseCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  using Ask = LeaderAsk<lease::LeaseInfo>;
  Ask::Question question;
  question.here = [this, id, keys](Ask::Callback answer) { look_up(id, keys, std::move(answer)); };
  question.there = [this, id, keys](const std::string& url, Duration timeout,
                                    Ask::Callback answer) {
    env_.queries.lease_time_to_live(url, id, keys, timeout, std::move(answer));
  };
  question.final_here = verdict_here;
  question.final_there = verdict_there;
  Ask::begin(*desk_, std::move(question), std::move(done));
}

void Node::lease_time_to_live_for_peer(std::int64_t id, bool keys, LeaseCallback done) {
  look_up(id, keys, [done = std::move(done)](Result<lease::LeaseInfo> info) mutable {
    done(for_peer(std::move(info)));
  });
}

/// The remaining time is right on the primary only, and stays so if it still is afterwards.
void Node::look_up(std::int64_t id, bool keys, LeaseCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  if (!lessor_->is_primary()) return done(tl::unexpected(mvcc::errors::not_primary_lessor()));
  auto info = lessor_->time_to_live(lease::LeaseId{id}, keys);
  if (!lessor_->is_primary()) return done(tl::unexpected(mvcc::errors::not_primary_lessor()));
  done(std::move(info));
}

}  // namespace truss::server
