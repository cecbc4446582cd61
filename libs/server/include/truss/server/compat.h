#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace truss::server {

/// The etcd release a member presents itself as. Order is meaningful: a later release is greater.
enum class CompatLevel : std::uint8_t { k34, k35, k36, k37 };

/// Level of a new data directory when nothing else decides.
inline constexpr CompatLevel kDefaultLevel = CompatLevel::k36;

/// `3.4` … `3.7` to a level; nullopt for anything else.
std::optional<CompatLevel> parse_compat_level(std::string_view text);
/// `3.4` of k34: major and minor.
std::string_view level_name(CompatLevel level);
/// Server version the level announces: 3.4.23, 3.5.33, 3.6.14, 3.7.1.
std::string_view server_version(CompatLevel level);
/// `3.4.0` of k34: the form that cluster version and storage version are kept in.
std::string cluster_version_of(CompatLevel level);

/// major.minor.patch, as in `3.4.23`. Anything after the patch (`-pre`) is ignored.
struct Version {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t patch = 0;

  std::string text() const;
  /// With the patch dropped: what two servers must agree on.
  Version minor_only() const { return {major, minor, 0}; }
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// nullopt unless the text is `N.N.N` (an optional `-suffix` is dropped).
std::optional<Version> parse_version(std::string_view text);
Version version_of(CompatLevel level);
/// Whether `before` is the minor release right before `release`; patches don't matter.
bool is_release_before(const Version& before, const Version& release);

}  // namespace truss::server
