#include "truss/common/process.h"

#include <unistd.h>

#include <cstdio>

namespace truss {

void SystemProcess::fatal(std::string_view why) {
  std::fprintf(stderr, "fatal: %.*s\n", static_cast<int>(why.size()), why.data());
  std::fflush(stderr);
  ::_exit(1);
}

}  // namespace truss
