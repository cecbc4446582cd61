#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/clock.h"
#include "truss/common/file_system.h"
#include "truss/common/process.h"
#include "truss/tool/command.h"
#include "truss/tool/names.h"

namespace truss::walctl {

/// What the outside gives walctl. Everything is borrowed.
struct Environment {
  FileSystem& files;
  tool::Names& names;
  Clock& clock;
  Process& process;
  /// Waits between two looks at a log that is followed.
  std::function<void(Duration)> sleep;
};

/// Runs walctl with these words; returns its exit code.
int run(const Environment& environment, const std::vector<std::string>& words,
        tool::Console& console);

/// The description of all commands, for the manual and the completions.
class Commands {
 public:
  explicit Commands(const Environment& environment);
  ~Commands();
  const tool::Command& root() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::walctl
