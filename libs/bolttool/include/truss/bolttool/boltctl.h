#pragma once

#include <functional>
#include <memory>
#include <string>

#include "truss/common/clock.h"
#include "truss/common/file_system.h"
#include "truss/tool/command.h"
#include "truss/tool/output.h"

namespace truss::bolttool {

/// What the outside gives the tool. Everything is borrowed.
struct Environment {
  FileSystem& fs;
  Clock& clock;
  unsigned threads = 1;  ///< that walk a file at once
  /// Gives the new file the owner and mode of the old one.
  std::function<Result<>(const std::string& from, const std::string& to)> keep_owner;
  /// Bytes of anonymous and file-backed memory in use, for `bench`.
  std::function<std::string()> resident;
  tool::OutputOptions output;
};

/// `boltctl` with all its commands. Lives no longer than `env`.
std::unique_ptr<tool::Command> make_boltctl(Environment& env);

}  // namespace truss::bolttool
