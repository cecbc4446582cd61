#include "truss/peer/text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "truss/common/bytes.h"

namespace truss::peer {
namespace {

constexpr std::size_t kMaxPeerUrls = 64;
constexpr std::size_t kMaxPeerUrlsBytes = 8u << 10;

std::optional<std::uint64_t> parse_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || at != end) return std::nullopt;
  return value;
}

bool is_port(std::string_view text) {
  const auto port = parse_number(text, 10);
  return port && *port <= 65535;
}

/// `host:port`, `[::1]:port`.
bool is_host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || !is_port(text.substr(colon + 1))) {
    return false;
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return false;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return false;
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '/' && c != '?' && c != '#' && c != '@' && c != '\\' &&
           c != '[' && c != ']';
  });
}

bool is_peer_url(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://", "unix://", "unixs://"}) {
    if (url.starts_with(scheme)) return is_host_and_port(url.substr(scheme.size()));
  }
  return false;
}

/// No leading zeros, as the semver parser wants it.
std::optional<std::uint64_t> parse_part(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return parse_number(text, 10);
}

bool is_suffix(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.';
  });
}

/// Cuts `text` at the first `mark`; what follows must be well formed.
bool cut_suffix(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return true;
  const std::string_view suffix = text.substr(at + 1);
  text = text.substr(0, at);
  return !suffix.empty() && is_suffix(suffix);
}

}  // namespace

std::string id_text(std::uint64_t id) {
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), id, 16).ptr;
  return {text.data(), end};
}

std::optional<std::uint64_t> parse_id(std::string_view hex) { return parse_number(hex, 16); }

std::optional<std::uint64_t> parse_decimal(std::string_view text) { return parse_number(text, 10); }

Result<std::vector<std::string>> parse_peer_urls(std::string_view text) {
  if (text.size() > kMaxPeerUrlsBytes) return fail(Code::kInvalidArgument, "too long");
  std::vector<std::string> urls;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view url = text.substr(0, comma);
    while (url.starts_with(' ')) url.remove_prefix(1);
    while (url.ends_with(' ')) url.remove_suffix(1);
    if (!is_peer_url(url)) {
      return fail(Code::kInvalidArgument, "not a peer URL: " + quoted(url.substr(0, 200)));
    }
    urls.emplace_back(url);
    if (urls.size() > kMaxPeerUrls) return fail(Code::kInvalidArgument, "too many peer URLs");
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  std::sort(urls.begin(), urls.end());
  return urls;
}

int SemVer::compare_minor(const SemVer& other) const {
  if (major != other.major) return major < other.major ? -1 : 1;
  if (minor != other.minor) return minor < other.minor ? -1 : 1;
  return 0;
}

std::optional<SemVer> parse_semver(std::string_view text) {
  if (text.size() > 256 || !cut_suffix(text, '+') || !cut_suffix(text, '-')) return std::nullopt;
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto major = parse_part(text.substr(0, first));
  const auto minor = parse_part(text.substr(first + 1, second - first - 1));
  const auto patch = parse_part(text.substr(second + 1));
  if (!major || !minor || !patch) return std::nullopt;
  return SemVer{*major, *minor, *patch};
}

}  // namespace truss::peer
