#pragma once

#include <string>
#include <vector>

#include "truss/tool/command.h"

namespace truss::tool {

extern const char* const kToolVersion;

/// Every command below and including `root`, depth first, each with the words before its name.
struct Located {
  const Command* command;
  std::string path;  ///< "" for the root

  /// `walctl fsck`
  std::string words() const {
    return path.empty() ? command->name() : path + " " + command->name();
  }
};
std::vector<Located> all_commands(const Command& root);

/// `DIR`, `[FILE]`, `DIR...`
std::string argument_text(const Argument& argument);
/// `-o, --output FORMAT`
std::string option_text(const Option& option);
/// ` (default x)`, ` (one of a, b)`, or nothing.
std::string option_remarks(const Option& option);
/// `walctl fsck DIR [options]`
std::string synopsis(const Located& located);

}  // namespace truss::tool
