#pragma once

#include <memory>
#include <string>
#include <vector>

#include "truss/tool/command.h"

namespace truss::walctl {

/// Runs walctl with these words; returns its exit code.
int run(const std::vector<std::string>& words, tool::Console& console);

/// The description of all commands, for the manual and the completions.
class Commands {
 public:
  Commands();
  ~Commands();
  const tool::Command& root() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::walctl
