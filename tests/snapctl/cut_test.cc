#include "truss/snaptool/cut.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <sstream>

#include "commands.h"
#include "small_db.h"
#include "truss/snaptool/verify.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::snaptool;

namespace {

PosixFileSystem disk;

std::uint64_t faults_of(const std::string& path) {
  return verify(disk, path, false, [](auto, const auto&) {})->faults;
}

}  // namespace

TEST_CASE("a cut is a sound snapshot with its SHA-256, and its source stays as it was") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", snaptool_test::known_history());
  const std::string before = snaptool_test::contents(dir / "db");
  const Cut made = cut(disk, {dir / "db", dir / "s"}).value();
  CHECK(made.revision == 12);
  CHECK(made.consistent_index == 7);
  CHECK(disk.stat(dir / "s")->size == made.image_bytes + 32);
  CHECK(faults_of(dir / "s") == 0);
  CHECK(snaptool_test::contents(dir / "db") == before);
}

TEST_CASE("a db that is written to is refused, and the process named") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", snaptool_test::known_history());
  const auto owner = bolt::DB::open(disk, dir / "db", {.no_sync = true}).value();
  CHECK(cut(disk, {dir / "db", dir / "s"}).error().code == Code::kUnavailable);

  std::ostringstream out, err;
  tool::Console console{out, err};
  snapctl::Commands commands(disk);
  CHECK(tool::run_tool(commands.root(), {"cut", dir / "db", dir / "s"}, console) == 5);
  CHECK(err.str().find("held by process " + std::to_string(getpid())) != std::string::npos);
  CHECK_FALSE(exists(disk, dir / "s"));
  CHECK_FALSE(exists(disk, dir / "s.part"));
}

TEST_CASE("from under its owner a copy is made if nothing is committed meanwhile") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", snaptool_test::known_history());
  const auto owner = bolt::DB::open(disk, dir / "db", {.no_sync = true}).value();
  const Cut made = cut(disk, {dir / "db", dir / "s", true}).value();
  CHECK(made.tries == 1);
  CHECK(faults_of(dir / "s") == 0);

  const auto commit = [&](std::uint64_t, std::uint64_t) {
    bolt::Tx tx = owner->begin_write().value();
    REQUIRE((**tx.bucket("cluster")).put("x", std::to_string(tx.id().value())).has_value());
    REQUIRE(tx.commit().has_value());
  };
  const auto busy = cut(disk, {dir / "db", dir / "t", true}, commit);
  REQUIRE_FALSE(busy.has_value());
  CHECK(busy.error().code == Code::kUnavailable);
  CHECK_FALSE(exists(disk, dir / "t"));
  CHECK_FALSE(exists(disk, dir / "t.part"));
}

TEST_CASE("a damaged db gets no seal") {
  test_support::TempDir dir;
  snaptool_test::write_db(dir / "db", snaptool_test::known_history());
  const std::string whole = snaptool_test::contents(dir / "db");
  snaptool_test::write_file(dir / "db", whole.substr(0, 1024 * 4));
  CHECK(cut(disk, {dir / "db", dir / "s"}).error().code == Code::kCorruption);
  CHECK_FALSE(exists(disk, dir / "s"));
}
