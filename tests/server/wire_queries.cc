#include "wire_queries.h"

#include "truss/server/errors.h"

namespace truss::server::testing {
namespace {

constexpr Duration kAnswerDelay = std::chrono::milliseconds(1);

Unexpected unreachable(const std::string& url) {
  return fail(Code::kUnavailable, "nobody answers at " + url);
}

/// What the HTTP handler would answer.
Result<std::vector<Member>> promote_answer(Result<ApplyResponse> applied) {
  if (applied) return std::get<MembersResult>(applied->result).members;
  const Error& e = applied.error();
  if (e == errors::member_not_found()) return fail(Code::kNotFound, e.message);
  if (e == errors::member_not_learner() || e == errors::learner_not_ready()) {
    return fail(Code::kFailedPrecondition, e.message);
  }
  return fail(Code::kInternal, "{\"message\":\"Internal Server Error\"}");
}

}  // namespace

/// A question under way: answered once, by whoever is first.
template <class T>
struct WireQueries::Open {
  Callback<T> done;
  void settle(Result<T> answer) {
    if (done) std::exchange(done, nullptr)(std::move(answer));
  }
};

template <class T>
void WireQueries::ask(const std::string& url, Duration timeout, Callback<T> done,
                      Handler<T> handler, std::function<Result<T>(const FakePeer&)> fake) {
  ++wire_.questions;
  if (stopped_) return done(fail(Code::kCanceled, "stopped"));
  auto open = std::make_shared<Open<T>>(Open<T>{std::move(done)});
  cancels_.push_back([open] { open->settle(fail(Code::kCanceled, "stopped")); });
  wire_.after(timeout, [open, url] { open->settle(unreachable(url)); });
  wire_.after(kAnswerDelay, [&wire = wire_, self = self_, url, open, handler = std::move(handler),
                             fake = std::move(fake)] {
    Server* server = wire.reach(self, url);
    if (server != nullptr) {
      return handler(*server, [&wire, open](Result<T> answer) {
        wire.after(kAnswerDelay, [open, answer = std::move(answer)]() mutable {
          open->settle(std::move(answer));
        });
      });
    }
    const FakePeer* peer = wire.reach_fake(self, url);
    open->settle(peer != nullptr && fake ? fake(*peer) : unreachable(url));
  });
}

void WireQueries::members(const std::string& url, Duration timeout, Callback<PeerMembers> done) {
  ask<PeerMembers>(
      url, timeout, std::move(done),
      [](Server& s, auto answer) {
        answer(PeerMembers{s.cluster_id(), *s.members()});
      },
      [](const FakePeer& fake) { return fake.members; });
}

void WireQueries::version(const std::string& url, Duration timeout, Callback<PeerVersion> done) {
  ask<PeerVersion>(
      url, timeout, std::move(done),
      [](Server& s, auto answer) {
        const Status status = s.status();
        const auto& cluster = status.cluster_version;
        answer(PeerVersion{status.version, cluster.empty() ? "not_decided" : cluster, ""});
      },
      [](const FakePeer& fake) { return fake.version; });
}

void WireQueries::downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done) {
  ask<bool>(
      url, timeout, std::move(done),
      [](Server& s, auto answer) {
        if (s.level() == CompatLevel::k34) return answer(fail(Code::kNotFound, "404"));
        s.downgrade_enabled(std::move(answer));
      },
      [](const FakePeer& fake) { return fake.downgrade_enabled; });
}

void WireQueries::lease_renew(const std::string& url, std::int64_t id, Duration timeout,
                              Callback<std::int64_t> done) {
  ask<std::int64_t>(url, timeout, std::move(done), [id](Server& s, auto answer) {
    s.lease_renew_for_peer(id, std::move(answer));
  });
}

void WireQueries::lease_time_to_live(const std::string& url, std::int64_t id, bool keys,
                                     Duration timeout, Callback<lease::LeaseInfo> done) {
  ask<lease::LeaseInfo>(url, timeout, std::move(done), [id, keys](Server& s, auto answer) {
    s.lease_time_to_live_for_peer(id, keys, std::move(answer));
  });
}

void WireQueries::promote(const std::string& url, raft::NodeId id, Duration timeout,
                          Callback<std::vector<Member>> done) {
  ask<std::vector<Member>>(url, timeout, std::move(done), [id](Server& s, auto answer) {
    s.promote_member(id, [answer = std::move(answer)](Result<ApplyResponse> applied) mutable {
      answer(promote_answer(std::move(applied)));
    });
  });
}

void WireQueries::hash_kv(const std::string& url, ClusterId, std::int64_t revision,
                          Duration timeout, Callback<PeerHashKv> done) {
  ask<PeerHashKv>(url, timeout, std::move(done), [revision](Server& s, auto answer) {
    s.hash_kv(revision, [&s, answer = std::move(answer)](Result<mvcc::HashKv> hash) mutable {
      if (!hash) return answer(tl::unexpected(hash.error()));
      answer(PeerHashKv{s.store().current_revision(), hash->hash, hash->compact_revision, 0});
    });
  });
}

void WireQueries::resolve(const std::string& url, Duration, Callback<std::string> done) {
  done(wire_.resolve(url));
}

void WireQueries::stop() {
  stopped_ = true;
  for (auto& cancel : std::exchange(cancels_, {})) cancel();
}

}  // namespace truss::server::testing
