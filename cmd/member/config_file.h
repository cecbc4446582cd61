#pragma once

#include <string>

#include "settings.h"
#include "truss/common/file_system.h"

namespace truss::member {

/// Reads a YAML file with etcd's keys (the flags' names) into `settings`. Durations are integer
/// nanoseconds; unknown keys are ignored; the security maps and `discovery-config` are flattened
/// onto their flags.
/// Errors: one line naming the file and what is wrong.
Result<> read_config_file(FileSystem& files, const std::string& path, Settings& settings);

}  // namespace truss::member
