#include "service_table.h"

#include <algorithm>

#include "redirect.h"
#include "truss/common/check.h"
#include "truss/net/grpc_text.h"

namespace truss::net {

void ServiceTable::add_method(std::string path, Method method) {
  const std::size_t slash = path.rfind('/');
  TRUSS_CHECK(path.starts_with('/') && slash > 0, path);
  services_.insert(path.substr(1, slash - 1));
  TRUSS_CHECK(methods_.emplace(std::move(path), std::move(method)).second, "method added twice");
}

void ServiceTable::add_route(HttpRoute route) {
  const auto longer = [](const HttpRoute& a, const HttpRoute& b) {
    return a.path.size() > b.path.size();
  };
  routes_.insert(std::upper_bound(routes_.begin(), routes_.end(), route, longer), std::move(route));
}

const Method* ServiceTable::find_method(std::string_view path) const {
  // Debian builds absl with a string_view of its own.
  const auto found = methods_.find(absl::string_view(path.data(), path.size()));
  return found == methods_.end() ? nullptr : &found->second;
}

std::string ServiceTable::unknown_method_text(std::string_view path) const {
  std::string_view name = path;
  if (name.starts_with('/')) name.remove_prefix(1);
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return "malformed method name: " + quoted(path);
  const std::string service(name.substr(0, slash));
  if (!services_.contains(service)) return "unknown service " + service;
  return "unknown method " + std::string(name.substr(slash + 1)) + " for service " + service;
}

const HttpRoute* ServiceTable::find_route(std::string_view path) const {
  const auto matches = [&](const HttpRoute& route) {
    return route.path.ends_with('/') ? path.starts_with(route.path) : path == route.path;
  };
  const auto found = std::find_if(routes_.begin(), routes_.end(), matches);
  return found == routes_.end() ? nullptr : &*found;
}

std::string ServiceTable::moved_path(std::string_view path) const {
  const auto is_route = [&](std::string_view wanted) {
    return std::any_of(routes_.begin(), routes_.end(),
                       [&](const HttpRoute& route) { return route.path == wanted; });
  };
  if (is_route(path)) return {};
  std::string clean = clean_path(path);
  if (clean != path) return clean;
  clean += '/';
  return is_route(clean) ? clean : std::string();
}

}  // namespace truss::net
