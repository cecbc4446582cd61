#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "truss/server/compat.h"

namespace truss::member {

enum class FlagType : std::uint8_t {
  kString,
  kBool,
  kInt,
  kUint,
  kDuration,
  kUrls,        ///< comma-separated, each with scheme, host and port
  kUrlsOrStar,  ///< likewise, or `*` alone
  kList,
  kNewOrExisting,
  kExitOrProxy,
  kOffReadonlyOn,
  kLogLevel,
};

/// What this member does with a flag that etcd knows.
enum class FlagUse : std::uint8_t {
  kHonoured,  ///< as etcd
  kWarned,    ///< accepted; has no effect yet, which endangers nothing; a warning is logged
  kRefused,   ///< any value but the default is refused: ignoring it would change safety or meaning
};

/// One flag of etcd's server (or of our own), with the releases that know it.
struct Flag {
  std::string_view name;
  FlagType type = FlagType::kString;
  std::string_view default_value;
  FlagUse use = FlagUse::kHonoured;
  std::string_view help;
  server::CompatLevel first = server::CompatLevel::k34;
  server::CompatLevel last = server::CompatLevel::k37;
};

/// Every flag, group after group.
std::span<const Flag> all_flags();

/// Flags that --help and the manual show under one heading.
struct FlagGroup {
  std::string_view title;
  std::span<const Flag> flags;
};
std::vector<FlagGroup> flag_groups();

/// The values that a flag of this type takes; empty if they can't be listed.
std::span<const std::string_view> choices_of(FlagType type);
/// `3.5 and later`, `3.4 to 3.6`, `3.4 only`; empty if every release knows the flag.
std::string releases_of(const Flag& flag);
/// Null if no release knows the name.
const Flag* find_flag(std::string_view name);
/// Flags of the past that etcd accepts and ignores.
bool is_legacy_flag(std::string_view name);

}  // namespace truss::member
