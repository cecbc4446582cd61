#pragma once

#include "context.h"
#include "truss/net/http.h"

namespace truss::api {

/// Answers /livez, /readyz and their single checks (`/readyz/linearizable_read`), with the
/// parameters `verbose` and `exclude`. 3.5 and up. Source: etcdhttp/health.go.
void run_probe(Context& context, const net::HttpRequest& request, net::HttpReply reply);

}  // namespace truss::api
