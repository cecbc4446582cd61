#include "truss/server/config.h"

namespace truss::server {
namespace {

/// Cuts `text` at the first `separator` and returns the part before it.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

}  // namespace

std::optional<InitialCluster> parse_initial_cluster(std::string_view text) {
  InitialCluster out;
  while (!text.empty()) {
    std::string_view url = take_part(text, ',');
    const std::size_t sign = url.find('=');
    if (sign == std::string_view::npos || sign == 0 || sign + 1 == url.size()) return std::nullopt;
    out[std::string(url.substr(0, sign))].emplace_back(url.substr(sign + 1));
  }
  return out;
}

}  // namespace truss::server
