#include "truss/snaptool/endpoint.h"

#include <algorithm>
#include <cctype>

namespace truss::snaptool {

bool names_endpoint(const std::string& text) {
  if (text.starts_with("http://") || text.starts_with("https://") || text.starts_with("unix:")) {
    return true;
  }
  const std::size_t colon = text.rfind(':');
  return colon != std::string::npos && colon + 1 < text.size() &&
         text.find('/') == std::string::npos &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1, text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

Result<std::unique_ptr<client::Client>> connect(Clock& clock, const Endpoint& endpoint) {
  if (endpoint.address.starts_with("https://")) {
    return fail(Code::kInvalidArgument,
                endpoint.address +
                    ": TLS is not supported yet; use a plain end point of the member, or a tunnel");
  }
  client::ClientOptions options;
  options.timeout = endpoint.timeout;
  auto out = std::make_unique<client::Client>(clock, endpoint.address, options);
  if (endpoint.user.empty()) return out;
  const std::size_t colon = endpoint.user.find(':');
  if (colon == std::string::npos) {
    return fail(Code::kInvalidArgument,
                "--user " + endpoint.user + " has no password: NAME:PASSWORD");
  }
  const auto in =
      out->authenticate(endpoint.user.substr(0, colon), endpoint.user.substr(colon + 1));
  if (!in) return fail("login at " + endpoint.address, in.error());
  return out;
}

}  // namespace truss::snaptool
