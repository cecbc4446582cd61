#include "peer_wire.h"

#include "truss/server/errors.h"
#include "truss/snap/db_receiver.h"

namespace truss::server::testing {
namespace {

constexpr Duration kDelay = std::chrono::milliseconds(1);

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

void PeerWire::attach(const std::string& url, TransportSink* sink, PeerWireTransport* transport) {
  endpoints_[url] = {sink, nullptr, world_.clock().now(), transport};
}

void PeerWire::serve(const std::string& url, Server* server) {
  const auto it = endpoints_.find(url);
  if (it != endpoints_.end()) it->second.server = server;
}

void PeerWire::carry(const std::string& from, const std::string& to, raft::Message message) {
  after(kDelay, [this, from, to, message = std::move(message)]() mutable {
    deliver(from, to, std::move(message));
  });
}

void PeerWire::deliver(const std::string& from, const std::string& to, raft::Message message) {
  const Endpoint* sender = find(from);
  if (sender == nullptr) return;
  const Endpoint* receiver = find(to);
  if (receiver == nullptr) return sender->sink->report_unreachable(message.to);
  if (receiver->server != nullptr && receiver->server->is_removed(message.from)) {
    return sender->sink->removed();
  }
  receiver->transport->meet(message.from, from);
  receiver->sink->receive(std::move(message));
}

const PeerWire::Endpoint* PeerWire::find(const std::string& url) const {
  const auto it = endpoints_.find(resolve(url));
  return it == endpoints_.end() || cut_.contains(it->first) ? nullptr : &it->second;
}

MonoTime PeerWire::connected_since(const std::string& a, const std::string& b) const {
  const Endpoint* one = find(a);
  const Endpoint* other = find(b);
  if (one == nullptr || other == nullptr) return MonoTime{};
  return std::max(one->since, other->since);
}

Server* PeerWire::reach(const std::string& from, const std::string& to) const {
  if (cut_.contains(from)) return nullptr;
  const Endpoint* endpoint = find(to);
  return endpoint == nullptr ? nullptr : endpoint->server;
}

const FakePeer* PeerWire::reach_fake(const std::string& from, const std::string& to) const {
  const auto it = fakes_.find(resolve(to));
  const bool cut = cut_.contains(from) || cut_.contains(to);
  return it == fakes_.end() || cut ? nullptr : &it->second;
}

std::string PeerWire::resolve(const std::string& url) const {
  const auto it = aliases_.find(url);
  return it == aliases_.end() ? url : it->second;
}

void PeerWire::after(Duration delay, Task task) {
  executor_->post_at(world_.clock().now() + delay, std::move(task));
}

void PeerWire::ship(const std::string& from, const std::string& to, raft::Message message,
                    std::shared_ptr<SnapshotReader> db) {
  after(kDelay, [this, from, to, message = std::move(message), db] {
    const Endpoint* sender = find(from);
    if (sender == nullptr) return;
    const Endpoint* receiver = find(to);
    const raft::Index index = message.snapshot.metadata.index;
    const bool arrived =
        receiver != nullptr && !lose_snapshots_ && receiver->transport->store(index, *db);
    if (arrived) {
      receiver->transport->meet(message.from, from);
      receiver->sink->receive(message);
    }
    sender->sink->report_snapshot(message.to, arrived);
  });
}

const std::string* PeerWireTransport::address(raft::NodeId id) const {
  for (const auto* known : {&peers_, &remotes_}) {
    const auto it = known->find(id);
    if (it != known->end()) return &it->second;
  }
  return nullptr;
}

void PeerWireTransport::send(std::vector<raft::Message> messages) {
  for (raft::Message& m : messages) {
    if (const std::string* to = address(m.to)) wire_.carry(self_, *to, std::move(m));
  }
}

void PeerWireTransport::send_snapshot(raft::Message message, std::unique_ptr<SnapshotReader> db) {
  if (const std::string* to = address(message.to)) {
    wire_.ship(self_, *to, std::move(message), std::move(db));
  }
}

Result<> PeerWireTransport::store(raft::Index index, SnapshotReader& db) {
  TRUSS_ASSIGN(auto receiver, snap::DbReceiver::create(*files_, "/data/member/snap"));
  for (;;) {
    TRUSS_ASSIGN(const std::string piece, db.read(64 << 10));
    if (piece.empty()) return receiver->finish(index).map([](const auto&) {});
    TRUSS_TRY(receiver->write(piece));
  }
}

MonoTime PeerWireTransport::active_since(raft::NodeId id) const {
  const auto peer = peers_.find(id);
  return peer == peers_.end() ? MonoTime{} : wire_.connected_since(self_, peer->second);
}

/// A question under way: answered once, by whoever is first.
template <class T>
struct PeerWireQueries::Open {
  Callback<T> done;
  void settle(Result<T> answer) {
    if (done) std::exchange(done, nullptr)(std::move(answer));
  }
};

template <class T>
void PeerWireQueries::ask(const std::string& url, Duration timeout, Callback<T> done,
                          Handler<T> handler, std::function<Result<T>(const FakePeer&)> fake) {
  ++wire_.questions;
  if (stopped_) return done(fail(Code::kCanceled, "stopped"));
  auto open = std::make_shared<Open<T>>(Open<T>{std::move(done)});
  cancels_.push_back([open] { open->settle(fail(Code::kCanceled, "stopped")); });
  wire_.after(timeout, [open, url] { open->settle(unreachable(url)); });
  wire_.after(kDelay, [&wire = wire_, self = self_, url, open, handler = std::move(handler),
                       fake = std::move(fake)] {
    Server* server = wire.reach(self, url);
    if (server != nullptr) {
      return handler(*server, [&wire, open](Result<T> answer) {
        wire.after(kDelay, [open, answer = std::move(answer)]() mutable {
          open->settle(std::move(answer));
        });
      });
    }
    const FakePeer* peer = wire.reach_fake(self, url);
    open->settle(peer != nullptr && fake ? fake(*peer) : unreachable(url));
  });
}

void PeerWireQueries::members(const std::string& url, Duration timeout,
                              Callback<PeerMembers> done) {
  ask<PeerMembers>(
      url, timeout, std::move(done),
      [](Server& s, auto answer) {
        answer(PeerMembers{s.cluster_id(), *s.members()});
      },
      [](const FakePeer& fake) { return fake.members; });
}

void PeerWireQueries::version(const std::string& url, Duration timeout,
                              Callback<PeerVersion> done) {
  ask<PeerVersion>(
      url, timeout, std::move(done),
      [](Server& s, auto answer) {
        const Status status = s.status();
        const auto& cluster = status.cluster_version;
        answer(PeerVersion{status.version, cluster.empty() ? "not_decided" : cluster, ""});
      },
      [](const FakePeer& fake) { return fake.version; });
}

void PeerWireQueries::downgrade_enabled(const std::string& url, Duration timeout,
                                        Callback<bool> done) {
  ask<bool>(
      url, timeout, std::move(done),
      [](Server& s, auto answer) {
        if (s.level() == CompatLevel::k34) return answer(fail(Code::kNotFound, "404"));
        s.downgrade_enabled(std::move(answer));
      },
      [](const FakePeer& fake) { return fake.downgrade_enabled; });
}

void PeerWireQueries::lease_renew(const std::string& url, std::int64_t id, Duration timeout,
                                  Callback<std::int64_t> done) {
  ask<std::int64_t>(url, timeout, std::move(done), [id](Server& s, auto answer) {
    s.lease_renew_for_peer(id, std::move(answer));
  });
}

void PeerWireQueries::lease_time_to_live(const std::string& url, std::int64_t id, bool keys,
                                         Duration timeout, Callback<lease::LeaseInfo> done) {
  ask<lease::LeaseInfo>(url, timeout, std::move(done), [id, keys](Server& s, auto answer) {
    s.lease_time_to_live_for_peer(id, keys, std::move(answer));
  });
}

void PeerWireQueries::promote(const std::string& url, raft::NodeId id, Duration timeout,
                              Callback<std::vector<Member>> done) {
  ask<std::vector<Member>>(url, timeout, std::move(done), [id](Server& s, auto answer) {
    s.promote_member(id, [answer = std::move(answer)](Result<ApplyResponse> applied) mutable {
      answer(promote_answer(std::move(applied)));
    });
  });
}

void PeerWireQueries::hash_kv(const std::string& url, ClusterId, std::int64_t revision,
                              Duration timeout, Callback<PeerHashKv> done) {
  ask<PeerHashKv>(url, timeout, std::move(done), [revision](Server& s, auto answer) {
    s.hash_kv(revision, [&s, answer = std::move(answer)](Result<mvcc::HashKv> hash) mutable {
      if (!hash) return answer(tl::unexpected(hash.error()));
      answer(PeerHashKv{s.store().current_revision(), hash->hash, hash->compact_revision, 0});
    });
  });
}

void PeerWireQueries::resolve(const std::string& url, Duration, Callback<std::string> done) {
  done(wire_.resolve(url));
}

void PeerWireQueries::stop() {
  stopped_ = true;
  for (auto& cancel : std::exchange(cancels_, {})) cancel();
}

}  // namespace truss::server::testing
