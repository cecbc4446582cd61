#pragma once

#include <memory>

#include "truss/common/file_system.h"
#include "truss/tool/command.h"

namespace truss::snapctl {

/// The description of snapctl's command line, ready for tool::run_tool().
class Commands {
 public:
  /// `files` is borrowed.
  explicit Commands(FileSystem& files);
  ~Commands();
  const tool::Command& root() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::snapctl
