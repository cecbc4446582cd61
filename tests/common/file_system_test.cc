#include "truss/common/file_system.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <array>

#include "truss/common/testing/sim_file_system.h"

using namespace truss;

// The same contract for the kernel's file system and the simulated one.
namespace {

struct Posix {
  Posix() {
    char path[] = "/tmp/truss-fs-XXXXXX";
    dir = ::mkdtemp(path);
  }
  ~Posix() { static_cast<void>(remove_all(fs, dir)); }
  PosixFileSystem fs;
  std::string dir;
};

struct Simulated {
  Simulated() { REQUIRE(make_dirs(fs, dir).has_value()); }
  truss::testing::SimFileSystem fs;
  std::string dir = "/data/test";
};

constexpr OpenOptions kCreateReal{.write = true, .create = true};

std::string text(File& file, std::size_t size, std::uint64_t offset = 0) {
  std::string out(size, '?');
  out.resize(file.pread(out, offset).value());
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("files keep what is written", Fs, Posix, Simulated) {
  Fs at;
  auto file = at.fs.open(at.dir + "/a", kCreateReal).value();
  REQUIRE(file->pwrite("hello", 3).has_value());
  CHECK(file->size().value() == 8);
  CHECK(text(*file, 100) == std::string("\0\0\0hello", 8));
  CHECK(text(*file, 2, 4) == "el");
  CHECK(text(*file, 10, 8).empty());
  CHECK(text(*file, 10, 800).empty());
  const std::array<ByteView, 4> pieces = {"ab", "", "cd", "efg"};
  REQUIRE(file->pwritev(pieces, 1).has_value());
  CHECK(text(*file, 100) == std::string("\0abcdefg", 8));
  REQUIRE(file->sync_data().has_value());
  REQUIRE(file->sync().has_value());
  CHECK(read_file(at.fs, at.dir + "/a").value() == std::string("\0abcdefg", 8));
}

TEST_CASE_TEMPLATE("pwritev takes any number of pieces", Fs, Posix, Simulated) {
  Fs at;
  auto file = at.fs.open(at.dir + "/a", kCreateReal).value();
  std::vector<std::string> owned;
  std::vector<ByteView> pieces;
  std::string whole;
  for (std::size_t i = 0; i < 300; ++i)
    owned.emplace_back(i % 7 * 100, static_cast<char>('a' + i % 26));
  for (const auto& piece : owned) {
    pieces.push_back(piece);
    whole += piece;
  }
  REQUIRE(file->pwritev(pieces, 0).has_value());
  CHECK(text(*file, whole.size() + 1) == whole);
  CHECK(file->pwritev({}, 0).has_value());
}

TEST_CASE_TEMPLATE("truncate cuts and extends with zeros", Fs, Posix, Simulated) {
  Fs at;
  auto file = at.fs.open(at.dir + "/a", kCreateReal).value();
  REQUIRE(file->pwrite(std::string(5000, 'x'), 0).has_value());
  REQUIRE(file->truncate(10).has_value());
  REQUIRE(file->truncate(4000).has_value());
  CHECK(text(*file, 9000) == std::string(10, 'x') + std::string(3990, '\0'));
}

TEST_CASE_TEMPLATE("allocate extends with zeros and never shrinks", Fs, Posix, Simulated) {
  Fs at;
  auto file = at.fs.open(at.dir + "/a", kCreateReal).value();
  REQUIRE(file->pwrite("abc", 0).has_value());
  REQUIRE(file->allocate(64'000'000).has_value());
  CHECK(file->size().value() == 64'000'000);
  CHECK(text(*file, 5) == std::string("abc\0\0", 5));
  REQUIRE(file->allocate(10).has_value());
  CHECK(file->size().value() == 64'000'000);
  CHECK(file->allocate(0).has_value());
}

TEST_CASE_TEMPLATE("open flags mean what they say", Fs, Posix, Simulated) {
  Fs at;
  CHECK(at.fs.open(at.dir + "/a", {}).error().code == Code::kNotFound);
  CHECK(at.fs.open(at.dir + "/no/a", kCreateReal).error().code == Code::kNotFound);
  REQUIRE(at.fs.open(at.dir + "/a", kCreateReal).value()->pwrite("abc", 0).has_value());
  CHECK(
      at.fs.open(at.dir + "/a", {.write = true, .create = true, .exclusive = true}).error().code ==
      Code::kAlreadyExists);
  CHECK(at.fs.open(at.dir + "/a", kCreateReal).value()->size().value() == 3);
  CHECK_FALSE(at.fs.open(at.dir + "/a", {}).value()->pwrite("x", 0).has_value());
  const OpenOptions fresh{.write = true, .truncate = true};
  CHECK(at.fs.open(at.dir + "/a", fresh).value()->size().value() == 0);
}

TEST_CASE_TEMPLATE("directories list, rename and remove", Fs, Posix, Simulated) {
  Fs at;
  for (const char* name : {"/b", "/a", "/c"})
    REQUIRE(at.fs.open(at.dir + name, kCreateReal).has_value());
  REQUIRE(at.fs.make_dir(at.dir + "/d", 0700).has_value());
  using Names = std::vector<std::string>;
  CHECK(at.fs.list(at.dir).value() == Names{"a", "b", "c", "d"});
  CHECK(at.fs.make_dir(at.dir + "/d", 0700).error().code == Code::kAlreadyExists);
  REQUIRE(at.fs.rename(at.dir + "/a", at.dir + "/b").has_value());
  REQUIRE(at.fs.rename(at.dir + "/c", at.dir + "/d/e").has_value());
  CHECK(at.fs.list(at.dir).value() == Names{"b", "d"});
  CHECK_FALSE(at.fs.remove(at.dir + "/d").has_value());
  CHECK(at.fs.remove(at.dir + "/x").error().code == Code::kNotFound);
  REQUIRE(at.fs.remove(at.dir + "/d/e").has_value());
  REQUIRE(at.fs.remove(at.dir + "/d").has_value());
  CHECK(at.fs.list(at.dir).value() == Names{"b"});
  REQUIRE(at.fs.sync_dir(at.dir).has_value());
  CHECK(at.fs.sync_dir(at.dir + "/none").error().code == Code::kNotFound);
  CHECK(at.fs.list(at.dir + "/none").error().code == Code::kNotFound);
}

TEST_CASE_TEMPLATE("stat tells size and kind", Fs, Posix, Simulated) {
  Fs at;
  REQUIRE(at.fs.open(at.dir + "/a", kCreateReal).value()->pwrite("abc", 0).has_value());
  CHECK(at.fs.stat(at.dir + "/a").value().size == 3);
  CHECK(at.fs.stat(at.dir + "/a").value().mode == 0600);
  CHECK_FALSE(at.fs.stat(at.dir + "/a").value().directory);
  CHECK(at.fs.stat(at.dir).value().directory);
  CHECK(exists(at.fs, at.dir + "/a"));
  CHECK_FALSE(exists(at.fs, at.dir + "/b"));
  CHECK_FALSE(exists(at.fs, at.dir + "/a/b"));
}

TEST_CASE_TEMPLATE("an open file outlives its name", Fs, Posix, Simulated) {
  Fs at;
  auto file = at.fs.open(at.dir + "/a", kCreateReal).value();
  REQUIRE(file->pwrite("abc", 0).has_value());
  REQUIRE(at.fs.remove(at.dir + "/a").has_value());
  CHECK(text(*file, 10) == "abc");
  CHECK_FALSE(exists(at.fs, at.dir + "/a"));
}

TEST_CASE_TEMPLATE("locks exclude other openings and end with the file", Fs, Posix, Simulated) {
  for (const LockKind kind : {LockKind::kFlock, LockKind::kOfd}) {
    Fs at;
    auto first = at.fs.open(at.dir + "/a", kCreateReal).value();
    auto second = at.fs.open(at.dir + "/a", kCreateReal).value();
    REQUIRE(first->try_lock(kind, true).has_value());
    CHECK(first->try_lock(kind, true).has_value());
    CHECK(second->try_lock(kind, true).error().code == Code::kUnavailable);
    CHECK(second->try_lock(kind, false).error().code == Code::kUnavailable);
    first.reset();
    REQUIRE(second->try_lock(kind, false).has_value());
    first = at.fs.open(at.dir + "/a", kCreateReal).value();
    CHECK(first->try_lock(kind, false).has_value());
    CHECK(first->try_lock(kind, true).error().code == Code::kUnavailable);
  }
}

TEST_CASE_TEMPLATE("a mapping sees later writes and growth", Fs, Posix, Simulated) {
  Fs at;
  auto file = at.fs.open(at.dir + "/a", kCreateReal).value();
  REQUIRE(file->pwrite("abc", 0).has_value());
  const auto map = file->map(65536, {}).value();
  CHECK(map->size() == 65536);
  CHECK(ByteView(map->data(), 3) == "abc");
  REQUIRE(file->pwrite("x", 1).has_value());
  REQUIRE(file->truncate(40000).has_value());
  REQUIRE(file->pwrite("far", 30000).has_value());
  CHECK(ByteView(map->data(), 3) == "axc");
  CHECK(ByteView(map->data() + 30000, 3) == "far");
}

TEST_CASE_TEMPLATE("make_dirs, remove_all and read_file", Fs, Posix, Simulated) {
  Fs at;
  REQUIRE(make_dirs(at.fs, at.dir + "/x/y/z").has_value());
  REQUIRE(make_dirs(at.fs, at.dir + "/x/y/z").has_value());
  REQUIRE(at.fs.open(at.dir + "/x/y/f", kCreateReal).value()->pwrite("12345", 0).has_value());
  CHECK(make_dirs(at.fs, at.dir + "/x/y/f").error().code == Code::kAlreadyExists);
  CHECK(read_file(at.fs, at.dir + "/x/y/f", 5).value() == "12345");
  CHECK(read_file(at.fs, at.dir + "/x/y/f", 4).error().code == Code::kResourceExhausted);
  CHECK(read_file(at.fs, at.dir + "/x/none").error().code == Code::kNotFound);
  REQUIRE(remove_all(at.fs, at.dir + "/x").has_value());
  REQUIRE(remove_all(at.fs, at.dir + "/x").has_value());
  CHECK_FALSE(exists(at.fs, at.dir + "/x"));
}

TEST_CASE("an error names a file that was renamed since by its name of now") {
  Posix at;
  const std::string before = at.dir + "/a.tmp";
  const std::string after = at.dir + "/a";
  static_cast<void>(at.fs.open(before, kCreateReal).value());
  auto file = at.fs.open(before, {}).value();
  CHECK(file->pwrite("x", 0).error().message.find("write " + before + ":") == 0);
  REQUIRE(at.fs.rename(before, after).has_value());
  CHECK(file->pwrite("x", 0).error().message.find("write " + after + ":") == 0);
}

TEST_CASE("paths join and split") {
  CHECK(join_path("/a", "b") == "/a/b");
  CHECK(join_path("/a/", "b") == "/a/b");
  CHECK(join_path("", "b") == "b");
  CHECK(parent_path("/a/b") == "/a");
  CHECK(parent_path("/a/b/") == "/a");
  CHECK(parent_path("/a") == "/");
  CHECK(parent_path("a") == ".");
}
