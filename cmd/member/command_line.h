#pragma once

#include <string>
#include <variant>
#include <vector>

#include "settings.h"
#include "truss/common/file_system.h"

namespace truss::member {

/// Reads the command line, then `ETCD_*` variables or the config file, by etcd's rules: a variable
/// fills in where no flag is given and conflicts with one that is; a config file replaces both.
/// `environment`: lines `NAME=value`.
std::variant<Settings, Exit> read_settings(const std::vector<std::string>& words,
                                           const std::vector<std::string>& environment,
                                           FileSystem& files);

/// Four lines as etcd prints them, for the release that `level` names.
std::string version_text(server::CompatLevel level);

}  // namespace truss::member
