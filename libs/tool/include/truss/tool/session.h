#pragma once

#include "truss/common/clock.h"
#include "truss/common/file_system.h"
#include "truss/tool/output.h"

namespace truss::tool {

/// What the commands of one tool share: the disk, the clock (both borrowed), the form of the
/// output.
struct Session {
  FileSystem& files;
  Clock& clock;
  OutputOptions output{};

  Format format() const { return output.format(); }
  bool json() const { return format() == Format::kJson; }
};

}  // namespace truss::tool
