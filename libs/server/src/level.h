#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data_dir.h"

/// Which release an existing directory belongs to.
namespace truss::server {

/// The level to run at: the directory's own, raised by `--compat`. A directory's own level is its
/// storage version's, else its cluster version's; without either, or with one that some member's
/// silence decided (3.0.0), the default, but 3.4 for a db of the form before 3.5.
/// Errors: kFailedPrecondition for a version we don't know, or a `--compat` below the level.
Result<CompatLevel> decide_level(std::optional<CompatLevel> wanted, const DbFacts& db,
                                 std::string_view snapshot_version, const std::string& where);

/// A cluster version that the log holds and the db does not have yet counts too: applying it at a
/// lower level would end the member.
/// Errors: as decide_level's.
Result<> raise_level(std::optional<CompatLevel> wanted, const std::vector<raft::Entry>& entries,
                     const std::string& where, Verdict& verdict);

}  // namespace truss::server
