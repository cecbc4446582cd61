#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "truss/common/error.h"

namespace truss::api {

/// A URL as listeners and members use it.
struct Url {
  std::string scheme;  ///< `http`, `https`, `unix`, `unixs`
  std::string host;    ///< with port: `127.0.0.1:2379`; of unix schemes the whole rest
  std::string path;
  std::string text() const { return scheme + "://" + host + path; }
};

/// Errors: kInvalidArgument, saying what is wrong, in Go's words.
Result<Url> parse_url(std::string_view text);

/// What Go's types.NewURLs accepts: at least one URL; schemes http, https, unix, unixs; `host:port`
/// (unix schemes excepted); no path. Returns them sorted by text.
/// Errors: kInvalidArgument with etcd's text, e.g. `URL address does not have the form "host:port":
/// http://x`.
Result<std::vector<std::string>> normalize_urls(std::vector<std::string> urls);

}  // namespace truss::api
