#include <string>

#include "routes.h"
#include "truss/peer/bodies.h"
#include "truss/peer/text.h"

// What members ask each other outside of raft. Source: etcd etcdhttp/peer.go, leasehttp/http.go,
// corrupt.go, version handler.
namespace truss::peer {
namespace {

constexpr std::size_t kMaxLeaseBytes = 64u << 10;
constexpr std::string_view kPromotePrefix = "/members/promote/";

/// Runs `body(local)` on the transport's thread, or answers 503.
template <class Body>
void ask(const ImplPtr& impl, net::HttpReply reply, Body body) {
  impl->post([reply, body = std::move(body)](Transport::Impl& i) mutable {
    if (i.context->stopped) return refuse(std::move(reply), 503, "the member is stopping");
    body(i, *i.context->local, std::move(reply));
  });
}

net::Metadata json_headers(const Identity& who) {
  net::Metadata headers = cluster_header(who);
  headers.emplace_back("Content-Type", "application/json");
  return headers;
}

void get_members(const ImplPtr& impl, const net::HttpRequest& request, net::HttpReply reply) {
  if (!check_method(request, reply, "GET")) return;
  ask(impl, reply, [](Transport::Impl& i, LocalMember& local, net::HttpReply r) {
    r.send(200, json_headers(i.context->identity), local.members_json() + "\n");
  });
}

void get_version(const ImplPtr& impl, const net::HttpRequest& request, net::HttpReply reply) {
  if (!check_method(request, reply, "GET")) return;
  ask(impl, reply, [](Transport::Impl&, LocalMember& local, net::HttpReply r) {
    r.send(200, {{"Content-Type", "application/json"}}, versions_json(local.versions()));
  });
}

/// Go's leases handler leaves out `Allow`.
bool is_lease_post(const net::HttpRequest& request, net::HttpReply& reply) {
  if (request.method != "POST") {
    refuse(reply, 405, "Method Not Allowed");
  } else if (request.oversized) {
    refuse(reply, 413, "request body too large");
  } else if (request.stalled) {
    refuse(reply, 400, "error reading body");
  } else {
    return true;
  }
  return false;
}

int lease_status(const Error& error) {
  if (error.code == Code::kNotFound) return 404;
  return error.code == Code::kDeadlineExceeded ? 408 : 400;
}

void post_leases(const ImplPtr& impl, const net::HttpRequest& request, net::HttpReply reply) {
  if (!is_lease_post(request, reply)) return;
  const auto id = parse_renew_request(request.body);
  if (!id) return refuse(std::move(reply), 400, "error unmarshalling request");
  ask(impl, reply, [id = *id](Transport::Impl&, LocalMember& local, net::HttpReply r) {
    local.renew_lease(id, [id, r](Result<std::int64_t> ttl) mutable {
      if (!ttl) return refuse(r, lease_status(ttl.error()), ttl.error().message);
      r.send(200, {{"Content-Type", "application/protobuf"}}, renew_response(id, *ttl));
    });
  });
}

void post_leases_internal(const ImplPtr& impl, const net::HttpRequest& request,
                          net::HttpReply reply) {
  if (!is_lease_post(request, reply)) return;
  const auto asked = parse_time_to_live_request(request.body);
  if (!asked) return refuse(std::move(reply), 400, "error unmarshalling request");
  ask(impl, reply, [asked = *asked](Transport::Impl&, LocalMember& local, net::HttpReply r) {
    local.lease_time_to_live(asked.id, asked.keys, [r](Result<LeaseTimeToLive> lease) mutable {
      if (!lease) return refuse(r, lease_status(lease.error()), lease.error().message);
      r.send(200, {{"Content-Type", "application/protobuf"}}, time_to_live_response(*lease));
    });
  });
}

void refuse_promotion(net::HttpReply& reply, const Identity& who, const Error& why) {
  if (why.code == Code::kNotFound) {
    return refuse(reply, 404, why.message, cluster_header(who));
  }
  if (why.code == Code::kFailedPrecondition) {
    return refuse(reply, 412, why.message, cluster_header(who));
  }
  reply.send(500, json_headers(who), R"({"message":"Internal Server Error"})");
}

void post_promote(const ImplPtr& impl, const net::HttpRequest& request, net::HttpReply reply) {
  if (!check_method(request, reply, "POST")) return;
  const std::string text = request.path.substr(kPromotePrefix.size());
  const auto id = parse_decimal(text);
  if (!id) {
    return refuse(std::move(reply), 404, "member " + text + " not found in cluster",
                  cluster_header(impl->context->identity));
  }
  ask(impl, reply,
      [id = raft::NodeId(*id)](Transport::Impl& i, LocalMember& local, net::HttpReply r) {
        local.promote(id, [who = i.context->identity, r](Result<std::string> members) mutable {
          if (!members) return refuse_promotion(r, who, members.error());
          r.send(200, json_headers(who), *members + "\n");
        });
      });
}

void get_hash_kv(const ImplPtr& impl, const net::HttpRequest& request, net::HttpReply reply) {
  if (!check_method(request, reply, "GET")) return;
  const Identity& who = impl->context->identity;
  const std::string_view cluster = request.header("x-etcd-cluster-id");
  if (!cluster.empty() && cluster != id_text(who.cluster.value())) {
    return refuse(std::move(reply), 412, "cluster ID mismatch");
  }
  if (request.stalled) return refuse(std::move(reply), 400, "error reading body");
  const auto revision = parse_hash_kv_request(request.body);
  if (!revision) return refuse(std::move(reply), 400, "error unmarshalling request");
  ask(impl, reply,
      [revision = *revision](Transport::Impl& i, LocalMember& local, net::HttpReply r) {
        const bool with_hash_revision = i.context->identity.form == raft::MessageForm::k36;
        local.hash_kv(revision, [r, who = i.context->identity,
                                 with_hash_revision](Result<HashKv> hash) mutable {
          if (hash) return r.send(200, json_headers(who), hash_kv_json(*hash, with_hash_revision));
          const int status = hash.error().code == Code::kOutOfRange ? 400 : 500;
          refuse(r, status, hash.error().message);
        });
      });
}

void get_downgrade_enabled(const ImplPtr& impl, const net::HttpRequest& request,
                           net::HttpReply reply) {
  const Identity& who = impl->context->identity;
  const auto version = parse_semver(who.server_version);
  if (version && version->compare_minor({3, 5, 0}) < 0) {
    return refuse(std::move(reply), 404, "404 page not found");
  }
  if (!check_method(request, reply, "GET")) return;
  ask(impl, reply, [](Transport::Impl& i, LocalMember& local, net::HttpReply r) {
    local.downgrade_enabled(
        [r, headers = cluster_header(i.context->identity)](Result<bool> enabled) mutable {
          if (!enabled) {
            return refuse(r, 500, "failed linearized read: " + enabled.error().message, headers);
          }
          headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
          r.send(200, headers, *enabled ? "true" : "false");
        });
  });
}

}  // namespace

void install_member_routes(net::Server& server, const ImplPtr& impl) {
  const auto add = [&](std::string path, ServedHandler handler, std::size_t max_body = 64u << 10) {
    add_route(server, impl, {.path = std::move(path), .handler = {}, .max_body_bytes = max_body},
              std::move(handler));
  };
  add("/members", get_members);
  add("/version", get_version);
  add("/leases", post_leases, kMaxLeaseBytes);
  add("/leases/internal", post_leases_internal, kMaxLeaseBytes);
  add(std::string(kPromotePrefix), post_promote);
  add("/members/hashkv", get_hash_kv);
  add("/downgrade/enabled", get_downgrade_enabled);
}

}  // namespace truss::peer
