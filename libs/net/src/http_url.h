#pragma once

#include <string>
#include <string_view>

#include "truss/common/error.h"

namespace truss::net {

/// The parts of an `http://` URL that a request needs.
struct HttpUrl {
  bool tls = false;
  std::string host;       ///< name or address, IPv6 without brackets
  std::string port;       ///< decimal, 1 to 65535
  std::string authority;  ///< for the Host field: as written
  std::string target;     ///< path and query, at least `/`
};

/// Takes http and https; no user part. A fragment is dropped.
/// Errors: kInvalidArgument saying what is wrong, without the URL.
Result<HttpUrl> parse_http_url(std::string_view text);

}  // namespace truss::net
