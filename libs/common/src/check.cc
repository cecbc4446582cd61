#include "truss/common/check.h"

#include <cstdio>
#include <cstdlib>

namespace truss {

void check_failed(const char* expression, const char* file, int line, std::string_view message) {
  std::fprintf(stderr, "check failed: %s%s%.*s (%s:%d)\n", expression, message.empty() ? "" : ": ",
               static_cast<int>(message.size()), message.data(), file, line);
  std::abort();
}

}  // namespace truss
