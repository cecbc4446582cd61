#pragma once

#include <string>

#include "truss/common/error.h"

namespace truss::tool {

/// What tools that replace things in place do with names and owners, for which FileSystem has no
/// word. *Thread:* any.
class Names {
 public:
  virtual ~Names() = default;
  /// Lets two names (of files or folders) trade places, atomically. *Errors:* I/O; kUnimplemented
  /// where the file system can't. *Durability:* none before a sync of the folders they are in.
  virtual Result<> exchange(const std::string& a, const std::string& b) = 0;
  /// Gives `to`, and what lies directly in it if it is a folder, the owner of `like`. Nothing for
  /// what has it already. *Errors:* I/O, kPermissionDenied among them.
  virtual Result<> keep_owner(const std::string& like, const std::string& to) = 0;
};

/// The kernel's.
class PosixNames final : public Names {
 public:
  Result<> exchange(const std::string& a, const std::string& b) override;
  Result<> keep_owner(const std::string& like, const std::string& to) override;
};

}  // namespace truss::tool
