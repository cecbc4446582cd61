#include "peer_endpoints.h"

namespace truss::member {
namespace {

std::string version_json(const server::Status& status) {
  const std::string cluster =
      status.cluster_version.empty() ? "not_decided" : status.cluster_version;
  return "{\"etcdserver\":\"" + status.version + "\",\"etcdcluster\":\"" + cluster + "\"}";
}

std::string members_json(const std::vector<server::Member>& members) {
  std::string out = "[";
  for (const auto& member : members) {
    out += (out.size() > 1 ? "," : "") + server::member_json(member);
  }
  return out + "]\n";
}

void refuse(net::HttpReply& reply, int status, const char* text) {
  reply.send(status,
             {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}},
             text);
}

bool is_get(const net::HttpRequest& request, net::HttpReply& reply) {
  if (request.method == "GET") return true;
  refuse(reply, 405, "Method Not Allowed\n");
  return false;
}

}  // namespace

void install_peer_endpoints(net::Server& net, server::Server& server) {
  net.add_http(
      {.path = "/version", .handler = [&server](net::HttpRequest r, net::HttpReply reply) {
         if (!is_get(r, reply)) return;
         reply.send(200, {{"Content-Type", "application/json"}}, version_json(server.status()));
       }});
  net.add_http({.path = "/members", .handler = [&server](net::HttpRequest r, net::HttpReply reply) {
                  if (!is_get(r, reply)) return;
                  reply.send(200,
                             {{"Content-Type", "application/json"},
                              {"X-Etcd-Cluster-ID", server::id_text(server.cluster_id())}},
                             members_json(*server.members()));
                }});
  net.add_http({.path = "/", .handler = [](net::HttpRequest, net::HttpReply reply) {
                  refuse(reply, 404, "404 page not found\n");
                }});
}

}  // namespace truss::member
