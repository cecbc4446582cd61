#pragma once

#include <memory>
#include <string>

#include "truss/client/client.h"
#include "truss/common/clock.h"
#include "truss/common/error.h"

namespace truss::snaptool {

/// A member to talk to.
struct Endpoint {
  std::string address = "127.0.0.1:2379";  ///< `host:port`, `http://host:port`, `unix:/path`
  std::string user = {};                   ///< `name:password`; empty: without logging in
  Duration timeout = std::chrono::seconds(5);
};

/// True for what names a member rather than a file: a URL, or host:port.
bool names_endpoint(const std::string& text);

/// A client of the member, logged in if asked for. *Errors:* kInvalidArgument for https (no TLS
/// yet) or a user without password; those of the login.
Result<std::unique_ptr<client::Client>> connect(Clock& clock, const Endpoint& endpoint);

}  // namespace truss::snaptool
