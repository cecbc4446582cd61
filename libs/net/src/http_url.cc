#include "http_url.h"

#include <algorithm>
#include <charconv>

namespace truss::net {
namespace {

constexpr int kMaxPort = 65535;

bool is_valid_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= kMaxPort;
}

/// Visible ASCII: anything else in a request line would end it or need escapes.
bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

/// Cuts `host:port`, `[v6]:port` or either without port. False if it is none of these.
bool split_authority(std::string_view text, std::string& host, std::string& port) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    host = text.substr(1, bracket - 1);
    end = bracket + 1;
    if (end < text.size() && text[end] != ':') return false;
  } else {
    host = text.substr(0, end);
  }
  if (end < text.size()) port = text.substr(end + 1);
  return !host.empty() && is_valid_port(port);
}

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view text) {
  const auto bad = [&](const char* why) {
    return fail(Code::kInvalidArgument, std::string("URL ") + why);
  };
  HttpUrl url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
  } else if (!rest.starts_with("http://")) {
    return bad("must start with http:// or https://");
  }
  rest.remove_prefix(url.tls ? 8 : 7);
  if (!is_visible(rest)) return bad("has characters that must be escaped");
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  url.authority = rest.substr(0, path);
  url.port = url.tls ? "443" : "80";
  if (url.authority.find('@') != std::string::npos) return bad("has a user part");
  if (!split_authority(url.authority, url.host, url.port)) return bad("has no valid host and port");
  url.target = rest.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace truss::net
