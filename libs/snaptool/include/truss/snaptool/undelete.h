#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "truss/snaptool/key_source.h"

namespace truss::snaptool {

enum class IfChanged : std::uint8_t {
  kRefuse,     ///< write nothing at all
  kSkip,       ///< bring back the others
  kOverwrite,  ///< take the file's value
};

/// What is done, or to be done, about one key of the file.
struct UndeleteStep {
  enum class Kind : std::uint8_t {
    kRestore,    ///< the member lacks it
    kOverwrite,  ///< the member has another value, which goes
    kChanged,    ///< the member has another value, which stays
    kRaced,      ///< somebody wrote it in the meantime; left alone
  };
  Kind kind = Kind::kRestore;
  std::string key;
  std::uint64_t value_bytes = 0;
  std::int64_t present_mod_revision = 0;  ///< at the member; 0: absent
};

struct UndeleteOptions {
  KeyRange range;
  std::int64_t revision = 0;  ///< of the file; 0: the newest
  IfChanged if_changed = IfChanged::kRefuse;
  bool dry_run = false;
};

struct UndeleteCounts {
  std::uint64_t restored = 0;     ///< written, or with dry_run to be written
  std::uint64_t overwritten = 0;  ///< likewise
  std::uint64_t changed = 0;
  std::uint64_t raced = 0;
  std::uint64_t had_lease = 0;  ///< of those written: they come back without their lease
  std::uint64_t transactions = 0;
  bool refused = false;       ///< keys changed since, so nothing was written
  std::int64_t revision = 0;  ///< of the member after the last write
};

using UndeleteSink = std::function<void(const UndeleteStep&)>;

/// Puts keys of a file back into a running cluster. Each write is guarded by the mod revision that
/// the member showed when it was compared: what somebody wrote since stays, and is told as kRaced.
/// *Errors:* kCorruption; those of the member.
Result<UndeleteCounts> undelete(DbFile& from, client::Client& to, const UndeleteOptions& options,
                                const UndeleteSink& sink);

}  // namespace truss::snaptool
