#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "impl.h"
#include "truss/net/server.h"

namespace truss::peer {

/// Go's http.Error: plain text and one newline.
void refuse(net::HttpReply reply, int status, std::string_view text, net::Metadata headers = {});
/// 405 with `Allow` unless the method is `wanted`. Returns: whether it is.
bool check_method(const net::HttpRequest& request, net::HttpReply& reply, std::string_view wanted);
net::Metadata cluster_header(const Identity& who);
/// What every answer of the stream handler carries.
net::Metadata stream_headers(const Identity& who);
/// Applies the version and cluster gate; answers 412 if it is shut. Returns: whether it is open.
bool pass_gate(const net::HttpRequest& request, net::HttpReply& reply, const Identity& who,
               const net::Metadata& headers);

using ImplPtr = std::shared_ptr<Transport::Impl>;
/// All routes of the peer port.
void install_routes(net::Server& server, const ImplPtr& impl);
void install_raft_routes(net::Server& server, const ImplPtr& impl);
void install_snapshot_route(net::Server& server, const ImplPtr& impl);
void install_member_routes(net::Server& server, const ImplPtr& impl);

/// Adds a route whose handler is only called while the transport serves; else 503.
using ServedHandler = std::function<void(const ImplPtr&, net::HttpRequest, net::HttpReply)>;
void add_route(net::Server& server, const ImplPtr& impl, net::HttpRoute route,
               ServedHandler handler);

}  // namespace truss::peer
