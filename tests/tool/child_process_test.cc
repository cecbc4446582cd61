#include "truss/tool/child_process.h"

#include <doctest/doctest.h>
#include <signal.h>

#include "truss/common/file_system.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::tool;
using namespace std::chrono_literals;

TEST_CASE("a program's end is waited for, and told as a shell tells it") {
  test_support::TempDir dir;
  ChildProcess child;
  REQUIRE(child.start({"sh", "-c", "echo said; exit 7"}, dir / "log").has_value());
  CHECK(child.wait(10s) == 7);
  CHECK_FALSE(child.alive());
  PosixFileSystem files;
  CHECK(read_file(files, dir / "log", 100).value() == "said\n");
  REQUIRE(child.start({"sleep", "60"}, dir / "log").has_value());
  CHECK(child.wait(1ms) == std::nullopt);
  CHECK(child.alive());
  child.signal(SIGTERM);
  CHECK(child.wait(10s) == 128 + SIGTERM);
  CHECK(child.pid() == -1);
}

TEST_CASE("a program that isn't there is said, and nothing started") {
  test_support::TempDir dir;
  for (const char* name : {"/no/such/program", "no-such-program-anywhere"}) {
    ChildProcess child;
    CHECK(child.start({name}, dir / "log").error().code == Code::kNotFound);
    CHECK_FALSE(child.alive());
  }
}

TEST_CASE("a free port has nobody listening") { CHECK_FALSE(is_listening(free_port())); }
