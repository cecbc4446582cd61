#include "truss/server/compat.h"

#include <array>
#include <charconv>

namespace truss::server {
namespace {

struct Release {
  std::string_view name;
  std::string_view server;
};
constexpr std::array<Release, 4> kReleases = {
    {{"3.4", "3.4.23"}, {"3.5", "3.5.33"}, {"3.6", "3.6.14"}, {"3.7", "3.7.1"}}};

const Release& release(CompatLevel level) { return kReleases.at(static_cast<std::size_t>(level)); }

/// Takes a decimal number off the front of `text`; false if there is none.
bool take_number(std::string_view& text, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_dot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<CompatLevel> parse_compat_level(std::string_view text) {
  for (std::size_t i = 0; i < kReleases.size(); ++i) {
    if (kReleases[i].name == text) return static_cast<CompatLevel>(i);
  }
  return std::nullopt;
}

std::string_view level_name(CompatLevel level) { return release(level).name; }
std::string_view server_version(CompatLevel level) { return release(level).server; }
std::string cluster_version_of(CompatLevel level) { return std::string(level_name(level)) + ".0"; }

std::string Version::text() const {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::optional<Version> parse_version(std::string_view text) {
  Version v;
  const bool read = take_number(text, v.major) && take_dot(text) && take_number(text, v.minor) &&
                    take_dot(text) && take_number(text, v.patch);
  if (!read || (!text.empty() && text.front() != '-' && text.front() != '+')) return std::nullopt;
  return v;
}

Version version_of(CompatLevel level) { return *parse_version(server_version(level)); }

bool is_release_before(const Version& before, const Version& release) {
  return before.major == release.major && before.minor + 1 == release.minor;
}

}  // namespace truss::server
