#include "truss/common/testing/sim_file_system.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

using namespace truss;
using namespace truss::testing;

namespace {

constexpr OpenOptions kCreateFile{.write = true, .create = true};

}  // namespace

TEST_CASE("calls and points are counted and logged") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreateFile).value();
  REQUIRE(file->pwrite("abc", 5).has_value());
  CHECK(file->size().value() == 8);
  REQUIRE(file->sync_data().has_value());
  REQUIRE(fs.rename("/f", "g").has_value());
  REQUIRE(file->truncate(4).has_value());
  REQUIRE(fs.sync_dir("/").has_value());
  CHECK(fs.calls() == 7);
  CHECK(fs.points() == 6);
  CHECK(fs.log() ==
        "#1 (point 1) create /f\n"
        "#2 (point 2) write /f [5, 8)\n"
        "#3 stat /f\n"
        "#4 (point 3) fdatasync /f\n"
        "#5 (point 4) rename /f -> /g\n"
        "#6 (point 5) truncate /g to 4\n"
        "#7 (point 6) fsync-dir /\n");
}

TEST_CASE("the log keeps the last lines only") {
  SimFileSystem fs({.log_lines = 2});
  for (int i = 0; i < 5; ++i) static_cast<void>(fs.stat("/" + std::to_string(i)));
  CHECK(fs.log() == "#4 stat /3\n#5 stat /4\n");
}

TEST_CASE("the n-th call fails with the errno given, once") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreateFile).value();
  fs.fail_call(fs.calls() + 2, SimFault::error(ENOSPC));
  REQUIRE(file->pwrite("a", 0).has_value());
  const auto failed = file->pwrite("b", 1);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().sys_errno == ENOSPC);
  CHECK(failed.error().code == Code::kResourceExhausted);
  CHECK(file->size().value() == 1);
  CHECK(file->pwrite("b", 1).has_value());
}

TEST_CASE("a failed write may have had a short effect, of whole sectors") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreateFile).value();
  fs.fail_call(fs.calls() + 1, SimFault::error(EIO, 1100));
  CHECK(file->pwrite(std::string(2000, 'x'), 12).error().sys_errno == EIO);
  CHECK(file->size().value() == 1024);
  fs.fail_call(fs.calls() + 1, SimFault::error(EIO, 3));
  CHECK(file->pwrite("abcdef", 5000).error().sys_errno == EIO);
  CHECK(file->size().value() == 1024);
}

TEST_CASE("every kind of call can fail") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreateFile).value();
  REQUIRE(file->pwrite("abc", 0).has_value());
  fs.inject([](const SimOp&) { return SimFault::error(EIO); });
  char byte = 0;
  CHECK_FALSE(file->pread({&byte, 1}, 0).has_value());
  CHECK_FALSE(file->pwrite("x", 0).has_value());
  CHECK_FALSE(file->sync_data().has_value());
  CHECK_FALSE(file->sync().has_value());
  CHECK_FALSE(file->size().has_value());
  CHECK_FALSE(file->truncate(0).has_value());
  CHECK_FALSE(file->allocate(9).has_value());
  CHECK_FALSE(file->try_lock(LockKind::kOfd, true).has_value());
  CHECK_FALSE(file->map(4096, {}).has_value());
  CHECK_FALSE(fs.open("/f", {}).has_value());
  CHECK_FALSE(fs.open("/g", kCreateFile).has_value());
  CHECK_FALSE(fs.stat("/f").has_value());
  CHECK_FALSE(fs.list("/").has_value());
  CHECK_FALSE(fs.make_dir("/d").has_value());
  CHECK_FALSE(fs.rename("/f", "/g").has_value());
  CHECK_FALSE(fs.remove("/f").has_value());
  CHECK_FALSE(fs.sync_dir("/").has_value());
  fs.inject({});
  CHECK(fs.list("/").value() == std::vector<std::string>{"f"});
  CHECK(read_file(fs, "/f").value() == "abc");
}

TEST_CASE("a skipped sync reports success and saves nothing") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreateFile).value();
  REQUIRE(fs.sync_dir("/").has_value());
  fs.inject(skip_matching([](const SimOp& op) { return op.kind == OpKind::kSyncData; }));
  REQUIRE(file->pwrite("abc", 0).has_value());
  REQUIRE(file->sync_data().has_value());
  SeededRandom random(1);
  CHECK(read_file(*fs.crashed(random, CrashStyle::kLoseAll), "/f").value().empty());
  REQUIRE(file->sync().has_value());
  CHECK(read_file(*fs.crashed(random, CrashStyle::kLoseAll), "/f").value() == "abc");
}

TEST_CASE("stop_after kills the disk at its point") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreateFile).value();
  fs.stop_after(2);
  REQUIRE(file->pwrite("a", 0).has_value());
  CHECK_FALSE(fs.stopped());
  CHECK(file->pwrite("b", 1).error().sys_errno == EIO);
  CHECK(fs.stopped());
  CHECK(fs.stat("/f").error().sys_errno == EIO);
  SeededRandom random(1);
  CHECK(read_file(*fs.crashed(random, CrashStyle::kKeepAll), "/f").value() == "a");
}

TEST_CASE("the observer sees each point before its effect, not its own calls") {
  SimFileSystem fs;
  std::vector<std::string> seen;
  fs.observe([&](const SimOp& op) {
    const auto info = fs.stat("/f");
    seen.push_back(std::string(op_name(op.kind)) + (info ? std::to_string(info->size) : "-"));
    static_cast<void>(fs.sync_dir("/"));
  });
  const auto file = fs.open("/f", kCreateFile).value();
  REQUIRE(file->pwrite("abc", 0).has_value());
  CHECK(file->size().has_value());
  REQUIRE(file->sync().has_value());
  CHECK(seen == std::vector<std::string>{"create-", "write0", "fsync3"});
}

TEST_CASE("a full disk says ENOSPC and changes nothing") {
  SimFileSystem fs({.capacity_bytes = 1000});
  const auto file = fs.open("/f", kCreateFile).value();
  REQUIRE(file->pwrite(std::string(900, 'x'), 0).has_value());
  CHECK(file->pwrite(std::string(101, 'y'), 900).error().sys_errno == ENOSPC);
  CHECK(file->allocate(1001).error().sys_errno == ENOSPC);
  CHECK(file->size().value() == 900);
  CHECK(file->pwrite(std::string(900, 'z'), 100).has_value());
}

TEST_CASE("a file has a largest size") {
  SimFileSystem fs({.max_file_bytes = 1 << 20});
  const auto file = fs.open("/f", kCreateFile).value();
  CHECK(file->pwrite("x", (1 << 20) - 1).has_value());
  CHECK(file->pwrite("x", 1 << 20).error().sys_errno == EFBIG);
}

TEST_CASE("a killed process loses its locks and its access, the disk keeps what it wrote") {
  SimFileSystem fs;
  const auto process = fs.mount();
  const auto file = process->open("/f", kCreateFile).value();
  REQUIRE(file->try_lock(LockKind::kFlock, true).has_value());
  REQUIRE(file->pwrite("abc", 0).has_value());
  const auto other = fs.open("/f", kCreateFile).value();
  CHECK(other->try_lock(LockKind::kFlock, true).error().code == Code::kUnavailable);
  const auto points = fs.points();
  process->unmount();
  CHECK(file->pwrite("xyz", 0).error().sys_errno == EIO);
  CHECK(process->remove("/f").error().sys_errno == EIO);
  CHECK(fs.points() == points);
  CHECK(other->try_lock(LockKind::kFlock, true).has_value());
  CHECK(read_file(fs, "/f").value() == "abc");
  CHECK(fs.unsynced() > 0);
}
