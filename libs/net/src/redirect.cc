#include "redirect.h"

#include <algorithm>
#include <vector>

#include "truss/net/http_text.h"

namespace truss::net {
namespace {

bool stays_in_path(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("-_.~$&+,/:;=@").find(c) != std::string_view::npos;
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> kept;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string_view element = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), element.size() + 1));
    if (element == ".." && !kept.empty()) kept.pop_back();
    if (!element.empty() && element != "." && element != "..") kept.push_back(element);
  }
  std::string out;
  for (const std::string_view element : kept) out.append("/").append(element);
  if (path.ends_with('/') || out.empty()) out += '/';
  return out;
}

std::string location_of(std::string_view path, std::string_view query) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (stays_in_path(c)) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  if (!query.empty()) out.append("?").append(query);
  return out;
}

std::string moved_page(std::string_view location) {
  return "<a href=\"" + html_escaped(location) + "\">Moved Permanently</a>.\n\n";
}

}  // namespace truss::net
