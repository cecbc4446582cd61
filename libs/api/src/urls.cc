#include "truss/api/urls.h"

#include <algorithm>

namespace truss::api {
namespace {

Unexpected bad(std::string text) { return fail(Code::kInvalidArgument, std::move(text)); }

bool is_unix(std::string_view scheme) { return scheme == "unix" || scheme == "unixs"; }

std::string_view trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

bool has_port(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = host.substr(0, colon);
  const bool bracketed = name.starts_with('[') && name.ends_with(']');
  return bracketed || name.find(':') == std::string_view::npos;
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto quoted_text = "parse \"" + std::string(text) + "\": ";
  const auto colon = text.find("://");
  if (colon == 0 || text.starts_with(':')) return bad(quoted_text + "missing protocol scheme");
  Url url;
  if (colon == std::string_view::npos) {
    if (const auto first = text.find(':'); first != std::string_view::npos) {
      if (text[0] >= '0' && text[0] <= '9') {
        return bad(quoted_text + "first path segment in URL cannot contain colon");
      }
      url.scheme = text.substr(0, first);
    }
    return url;
  }
  url.scheme = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 3);
  const auto slash = is_unix(url.scheme) ? std::string_view::npos : rest.find('/');
  url.host = rest.substr(0, slash);
  if (slash != std::string_view::npos) url.path = rest.substr(slash);
  const auto port = url.host.rfind(':');
  if (!is_unix(url.scheme) && has_port(url.host) && !all_digits(url.host.substr(port + 1))) {
    return bad(quoted_text + "invalid port \"" + url.host.substr(port) + "\" after host");
  }
  return url;
}

Result<std::vector<std::string>> normalize_urls(std::vector<std::string> urls) {
  if (urls.empty()) return bad("no valid URLs given");
  for (std::string& text : urls) {
    text = std::string(trim(text));
    TRUSS_ASSIGN(const Url url, parse_url(text));
    if (url.scheme != "http" && url.scheme != "https" && !is_unix(url.scheme)) {
      return bad("URL scheme must be http, https, unix, or unixs: " + text);
    }
    if (!is_unix(url.scheme) && !has_port(url.host)) {
      return bad("URL address does not have the form \"host:port\": " + text);
    }
    if (!url.path.empty()) return bad("URL must not contain a path: " + text);
  }
  std::sort(urls.begin(), urls.end());
  return urls;
}

}  // namespace truss::api
