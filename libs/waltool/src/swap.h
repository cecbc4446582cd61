#pragma once

#include <string>

#include "truss/common/error.h"

/// What the FileSystem seam has no word for: tools work on the kernel's files.
namespace truss::waltool {

/// Lets two names trade places, atomically. *Errors:* I/O; kUnimplemented where the file system
/// can't.
Result<> exchange(const std::string& a, const std::string& b);
/// Gives `to`, and all in it if it is a folder, the owner of `like`. Nothing if it has it already.
Result<> give_owner(const std::string& like, const std::string& to);

}  // namespace truss::waltool
