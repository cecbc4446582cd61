#pragma once

#include <doctest/doctest.h>

#include <sstream>

#include "../bolt/support.h"
#include "truss/bolttool/boltctl.h"
#include "truss/tool/console.h"

namespace truss::bolttool::testing {

using bolt::testing::must;

/// What a command line gave.
struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

/// Runs `boltctl WORDS` on a file system.
inline Ran run(FileSystem& fs, const std::vector<std::string>& words) {
  SystemClock clock;
  Environment env{fs, clock, 2, {}, [] { return std::string(); }, {}};
  const auto root = make_boltctl(env);
  std::ostringstream out, err;
  tool::Console console{out, err};
  Ran ran;
  ran.code = tool::run_tool(*root, words, console);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

}  // namespace truss::bolttool::testing
