#include "level.h"

#include <algorithm>

#include "log_request.h"

namespace truss::server {
namespace {

/// Level of a directory at version `text`; nullopt for one before 3.4: that is what a cluster
/// agrees on for as long as one of its members has not told its release. Errors:
/// kFailedPrecondition.
Result<std::optional<CompatLevel>> level_at(const std::string& text,
                                            std::optional<CompatLevel> wanted,
                                            const std::string& where) {
  const auto version = parse_version(text);
  if (!version || version->major != 3 || version->minor > 7) {
    return fail(Code::kFailedPrecondition,
                where + ": it is of version " + text +
                    ", and this member knows 3.4 to 3.7; start a newer release on it");
  }
  if (version->minor < 4) return std::nullopt;
  const auto own = CompatLevel{static_cast<std::uint8_t>(version->minor - 4)};
  if (wanted && *wanted < own) {
    return fail(Code::kFailedPrecondition,
                where + ": it is of version " + text + ", and --compat " +
                    std::string(level_name(*wanted)) +
                    " would be a downgrade; leave --compat out or raise it");
  }
  return own;
}

/// The cluster version an entry sets; empty if it sets none.
std::string version_set(const raft::Entry& entry) {
  if (entry.type != raft::EntryType::kNormal || entry.data.empty()) return {};
  const auto request = decode_log_request(entry.data.view());
  if (!request) return {};
  if (const auto* set = std::get_if<ClusterVersionSet>(&request->op)) return set->version;
  const auto* legacy = std::get_if<LegacyRequest>(&request->op);
  const bool sets = legacy != nullptr && legacy->method == "PUT" && legacy->path == "/0/version";
  return sets ? legacy->value : std::string();
}

}  // namespace

Result<CompatLevel> decide_level(std::optional<CompatLevel> wanted, const DbFacts& db,
                                 std::string_view snapshot_version, const std::string& where) {
  std::string text = db.meta.storage_version.value_or(db.membership.cluster_version);
  if (text.empty()) text = snapshot_version;
  if (text.empty()) return wanted.value_or(kDefaultLevel);
  TRUSS_ASSIGN(const auto own, level_at(text, wanted, where));
  // Releases since 3.5 keep the ConfState in the db.
  const auto undecided = db.meta.conf_state ? kDefaultLevel : CompatLevel::k34;
  return wanted.value_or(own.value_or(undecided));
}

Result<> raise_level(std::optional<CompatLevel> wanted, const std::vector<raft::Entry>& entries,
                     const std::string& where, Verdict& verdict) {
  for (const raft::Entry& entry : entries) {
    if (entry.index.value() <= verdict.db.meta.consistent_index) continue;
    const std::string text = version_set(entry);
    if (text.empty()) continue;
    TRUSS_ASSIGN(const auto own, level_at(text, wanted, where));
    if (!own) continue;
    verdict.level = verdict.level_known ? std::max(verdict.level, *own) : *own;
    verdict.level_known = true;
  }
  return {};
}

}  // namespace truss::server
