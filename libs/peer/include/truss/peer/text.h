#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "truss/common/error.h"

/// Small texts of the peer protocol. *Thread:* any.
namespace truss::peer {

/// Lower-case hex without leading zeros (`0` of zero): ids in headers and stream paths.
std::string id_text(std::uint64_t id);
/// 1 or more hex digits of either case that fit in 64 bits, padding allowed; nullopt for anything
/// else. *Source:* Go's strconv.ParseUint(text, 16, 64).
std::optional<std::uint64_t> parse_id(std::string_view hex);
/// 1 or more decimal digits that fit in 64 bits (`/members/promote/<id>`).
std::optional<std::uint64_t> parse_decimal(std::string_view text);

/// `http://h1:2380,http://h2:2380` of X-PeerURLs, sorted.
/// *Errors:* kInvalidArgument for a scheme other than http, https, unix, unixs, for a URL with a
/// path, without a port or host, for more than 64 of them or more than 8 KiB.
Result<std::vector<std::string>> parse_peer_urls(std::string_view text);

/// A semantic version; what follows the patch is checked and dropped.
struct SemVer {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;

  /// Negative, zero or positive as this one's major.minor is lower, the same or higher.
  int compare_minor(const SemVer& other) const;
  friend bool operator==(const SemVer&, const SemVer&) = default;
};
/// `3.4.23`, `3.5.0-alpha.1+meta`; nullopt for anything that would make etcd's parser panic.
std::optional<SemVer> parse_semver(std::string_view text);

}  // namespace truss::peer
