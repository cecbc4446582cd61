#include "truss/tool/lock_holder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "truss/common/file_system.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;

TEST_CASE("lock holder: nobody, then this process, by either kind of lock") {
  test_support::TempDir dir;
  PosixFileSystem fs;
  for (const LockKind kind : {LockKind::kFlock, LockKind::kOfd}) {
    const std::string path = dir.path() + "/file";
    auto file = fs.open(path, {.write = true, .create = true});
    REQUIRE(file);
    CHECK(tool::lock_holders(path).empty());
    CHECK(tool::held_by(path).empty());
    REQUIRE((*file)->try_lock(kind, true));
    const auto holders = tool::lock_holders(path);
    REQUIRE(holders.size() == 1);
    CHECK(holders[0].pid == static_cast<std::uint64_t>(::getpid()));
    CHECK(holders[0].name == "tests-tool");
    CHECK(holders[0].exclusive);
    CHECK(tool::held_by(path) ==
          ", held by process " + std::to_string(::getpid()) + " (tests-tool)");
  }
  CHECK(tool::lock_holders(dir.path() + "/absent").empty());
}
