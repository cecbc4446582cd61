#pragma once

#include <string>
#include <string_view>

#include "truss/net/http.h"

namespace truss::api {

/// Answers as Go's http.Error: plain text with a newline, no sniffing.
inline void http_error(net::HttpReply& reply, int status, std::string_view text,
                       net::Metadata headers = {}) {
  headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  reply.send(status, std::move(headers), std::string(text) + "\n");
}

/// True if the method is `wanted`; else answers 405 with `Allow`.
inline bool allow_method(const net::HttpRequest& request, net::HttpReply& reply,
                         std::string_view wanted) {
  if (request.method == wanted) return true;
  http_error(reply, 405, "Method Not Allowed", {{"Allow", std::string(wanted)}});
  return false;
}

}  // namespace truss::api
