#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "corpus.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/waltool/data_dir.h"

namespace truss::walctl_test {

/// The member that entry 1 of a model log adds.
inline constexpr std::uint64_t kOldMember = 7;
inline constexpr std::uint64_t kOldCluster = 0xb1b2b3b4b5b6b7b8;

/// A stopped member's directory at `/m` with these segments and a db that has applied `applied`.
void make_member(truss::testing::SimFileSystem& disk, const Files& files, std::uint64_t applied);

waltool::DataDir member_dir(FileSystem& fs);

/// Index, term and payload of each entry of the log.
using Entries = std::vector<std::tuple<std::uint64_t, std::uint64_t, std::string>>;
Entries entries_of(FileSystem& fs, const waltool::DataDir& dir);

/// Ids in bucket `members` of the db.
std::vector<std::uint64_t> db_members(FileSystem& fs, const waltool::DataDir& dir);

}  // namespace truss::walctl_test
