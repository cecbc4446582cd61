#include "routes.h"

#include "truss/peer/request_header.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

void redirect_to_subtree(net::Server& server, const std::string& path) {
  server.add_http(
      {.path = path, .handler = [path](const net::HttpRequest&, net::HttpReply reply) {
         reply.send(301, {{"Content-Type", "text/html; charset=utf-8"}, {"Location", path + "/"}},
                    "<a href=\"" + path + "/\">Moved Permanently</a>.\n\n");
       }});
}

}  // namespace

void refuse(net::HttpReply reply, int status, std::string_view text, net::Metadata headers) {
  headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  reply.send(status, std::move(headers), std::string(text) + "\n");
}

bool check_method(const net::HttpRequest& request, net::HttpReply& reply, std::string_view wanted) {
  if (request.method == wanted) return true;
  refuse(reply, 405, "Method Not Allowed", {{"Allow", std::string(wanted)}});
  return false;
}

net::Metadata cluster_header(const Identity& who) {
  return {{"X-Etcd-Cluster-Id", id_text(who.cluster.value())}};
}

net::Metadata stream_headers(const Identity& who) {
  net::Metadata headers = cluster_header(who);
  headers.emplace_back("X-Server-Version", who.server_version);
  return headers;
}

bool pass_gate(const net::HttpRequest& request, net::HttpReply& reply, const Identity& who,
               const net::Metadata& headers) {
  switch (check_gate(request, who)) {
    case Gate::kPass:
      return true;
    case Gate::kIncompatibleVersion:
      refuse(reply, 412, "incompatible version", headers);
      return false;
    case Gate::kClusterMismatch:
      refuse(reply, 412, "cluster ID mismatch", headers);
      return false;
  }
  return false;
}

void add_route(net::Server& server, const ImplPtr& impl, net::HttpRoute route,
               ServedHandler handler) {
  route.handler = [impl, handler = std::move(handler)](net::HttpRequest request,
                                                       net::HttpReply reply) {
    if (!impl->serving.load()) return refuse(reply, 503, "the member does not serve peers now");
    handler(impl, std::move(request), std::move(reply));
  };
  server.add_http(std::move(route));
}

void install_routes(net::Server& server, const ImplPtr& impl) {
  install_raft_routes(server, impl);
  install_snapshot_route(server, impl);
  install_member_routes(server, impl);
  redirect_to_subtree(server, "/raft/stream");
  redirect_to_subtree(server, "/members/promote");
  server.add_http({.path = "/", .handler = [](const net::HttpRequest&, net::HttpReply reply) {
                     refuse(std::move(reply), 404, "404 page not found");
                   }});
}

}  // namespace truss::peer
