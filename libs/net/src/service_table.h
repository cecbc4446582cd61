#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/string_view.h>

#include <string>
#include <string_view>
#include <vector>

#include "truss/net/call.h"
#include "truss/net/http.h"

namespace truss::net {

/// One gRPC method: exactly one of the two is set.
struct Method {
  UnaryHandler unary;
  StreamFactory stream;
};

/// What a server serves. Filled before start(), then only read.
///
/// Thread: any, once filled.
class ServiceTable {
 public:
  void add_method(std::string path, Method method);
  void add_route(HttpRoute route);
  void set_filter(HttpFilter filter) { filter_ = std::move(filter); }

  /// Null if there is no such method; then unknown_method_text says why.
  const Method* find_method(std::string_view path) const;
  /// grpc-go's text: `unknown method M for service S`, `unknown service S` or
  /// `malformed method name: "P"`.
  std::string unknown_method_text(std::string_view path) const;
  /// The exact path, else the longest subtree it is in; null if none.
  const HttpRoute* find_route(std::string_view path) const;
  /// Where Go's mux sends a path that is not clean, or is a subtree's without its last slash; empty
  /// if it stays.
  std::string moved_path(std::string_view path) const;
  const HttpFilter& filter() const { return filter_; }

 private:
  absl::flat_hash_map<std::string, Method> methods_;
  absl::flat_hash_set<std::string> services_;
  std::vector<HttpRoute> routes_;  ///< longest path first
  HttpFilter filter_;
};

}  // namespace truss::net
