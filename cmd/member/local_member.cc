#include "local_member.h"

#include "truss/server/compat.h"
#include "truss/server/errors.h"

namespace truss::member {
namespace {

Unexpected not_there() { return fail(Code::kUnavailable, "the member is starting"); }

/// The texts of what lies below etcd's server, which peers look for in what they are told.
Error for_peer(Error error) {
  constexpr std::string_view kPrefix = "etcdserver: ";
  if (error == server::errors::member_not_found()) error.message = "membership: ID not found";
  if (error == server::errors::member_not_learner()) {
    error.message = "membership: can only promote a learner member";
  }
  if (error.message.starts_with("etcdserver: mvcc: ")) error.message.erase(0, kPrefix.size());
  return error;
}

std::string json_of(const std::vector<server::Member>& members) {
  std::string out = "[";
  for (const auto& member : members) {
    out += (out.size() > 1 ? "," : "") + server::member_json(member);
  }
  return out + "]";
}

}  // namespace

peer::Versions LocalMember::versions() const {
  const server::Server* server = server_;
  if (server == nullptr) return {};
  server::Status status = server->status();
  peer::Versions versions{std::move(status.version), std::move(status.cluster_version), {}};
  if (server->level() >= server::CompatLevel::k36) {
    versions.storage = std::move(status.storage_version);
  }
  return versions;
}

std::string LocalMember::members_json() const {
  const server::Server* server = server_;
  return server == nullptr ? "[]" : json_of(*server->members());
}

bool LocalMember::is_removed(raft::NodeId id) const {
  const server::Server* server = server_;
  return server != nullptr && server->is_removed(id);
}

void LocalMember::renew_lease(std::int64_t id, Done<std::int64_t> done) {
  server::Server* server = server_;
  if (server == nullptr) return done(not_there());
  server->lease_renew_for_peer(id, std::move(done));
}

void LocalMember::lease_time_to_live(std::int64_t id, bool keys, Done<peer::LeaseTimeToLive> done) {
  server::Server* server = server_;
  if (server == nullptr) return done(not_there());
  server->lease_time_to_live_for_peer(
      id, keys, [done = std::move(done)](Result<lease::LeaseInfo> lease) mutable {
        done(std::move(lease).map([](lease::LeaseInfo l) {
          return peer::LeaseTimeToLive{static_cast<std::int64_t>(l.id), l.remaining_ttl,
                                       l.granted_ttl, std::move(l.keys)};
        }));
      });
}

void LocalMember::promote(raft::NodeId id, Done<std::string> done) {
  server::Server* server = server_;
  if (server == nullptr) return done(not_there());
  server->promote_member(
      id, [done = std::move(done)](Result<server::ApplyResponse> answer) mutable {
        if (!answer) return done(tl::unexpected(for_peer(answer.error())));
        const auto* changed = std::get_if<server::MembersResult>(&answer->result);
        done(json_of(changed != nullptr ? changed->members : std::vector<server::Member>()));
      });
}

void LocalMember::hash_kv(std::int64_t revision, Done<peer::HashKv> done) {
  server::Server* server = server_;
  if (server == nullptr) return done(not_there());
  server->hash_kv(revision, [done = std::move(done)](Result<mvcc::HashKv> hash) mutable {
    done(std::move(hash).map_error(for_peer).map([](const mvcc::HashKv& h) {
      return peer::HashKv{h.current_revision, h.hash, h.compact_revision, h.hash_revision};
    }));
  });
}

void LocalMember::downgrade_enabled(Done<bool> done) {
  server::Server* server = server_;
  if (server == nullptr) return done(not_there());
  server->downgrade_enabled(std::move(done));
}

Result<std::unique_ptr<snap::DbReceiver>> LocalMember::receive_db() {
  TRUSS_ASSIGN(auto receiver, snap::DbReceiver::create(files_, snap_dir_));
  if (server::Server* server = server_; server != nullptr) {
    receiver->watch(server->watch_database());
  }
  return receiver;
}

void LocalMember::check_snapshot(const raft::Message& message, const std::string& path,
                                 Done<void> done) {
  server::Server* server = server_;
  if (server == nullptr) return done(not_there());
  server->check_snapshot(message, path, std::move(done));
}

}  // namespace truss::member
