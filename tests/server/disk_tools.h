#pragma once

#include <map>
#include <string>

#include "truss/common/testing/sim_file_system.h"

namespace truss::server::testing {

/// Copies a folder of the real disk into the simulated one. Long runs of zeros stay holes.
void load_tree(truss::testing::SimFileSystem& disk, const std::string& real_path,
               const std::string& path);

/// Name, mode and contents (as a CRC) of everything under `path`: equal if nothing was changed.
std::map<std::string, std::string> fingerprint(FileSystem& disk, const std::string& path);

}  // namespace truss::server::testing
