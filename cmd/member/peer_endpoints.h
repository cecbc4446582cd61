#pragma once

#include "truss/net/server.h"
#include "truss/server/server.h"

namespace truss::member {

/// What a member without peers serves on its peer URLs: /version and /members.
void install_peer_endpoints(net::Server& net, server::Server& server);

}  // namespace truss::member
