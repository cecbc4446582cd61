#include "version_form.h"

#include <algorithm>

namespace truss::server {
namespace {

constexpr Version k34Cluster{3, 4, 0};
constexpr Version k36Cluster{3, 6, 0};

}  // namespace

std::optional<VersionForm> form_by_cluster(CompatLevel level, std::string_view cluster_version,
                                           bool alone) {
  if (level < CompatLevel::k36) return VersionForm::kLegacy;
  if (alone) return VersionForm::kInternal;
  const auto version = parse_version(cluster_version);
  if (!version || *version < k34Cluster) return std::nullopt;
  return *version < k36Cluster ? VersionForm::kLegacy : VersionForm::kInternal;
}

VersionForm form_by_servers(CompatLevel level, const PolledVersions& others) {
  if (level < CompatLevel::k36) return VersionForm::kLegacy;
  bool all_known = true;
  bool some_new = level >= CompatLevel::k37;
  for (const auto& answer : others) {
    const auto version = answer ? parse_version(answer->server) : std::nullopt;
    if (version && *version < k36Cluster) return VersionForm::kLegacy;
    all_known = all_known && version;
    some_new = some_new || (version && *version >= version_of(CompatLevel::k37).minor_only());
  }
  return all_known || some_new ? VersionForm::kInternal : VersionForm::kLegacy;
}

}  // namespace truss::server
