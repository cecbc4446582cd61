#include "support.h"
#include "truss/test_support/tool_documents.h"

using namespace truss;

TEST_CASE("boltctl: manual and completions are those of the commands") {
  PosixFileSystem fs;
  SystemClock clock;
  bolttool::Environment env{fs, clock, 1, {}, {}, {}};
  test_support::check_tool_documents(*bolttool::make_boltctl(env), TRUSS_SOURCE_DIR "/docs/");
}
