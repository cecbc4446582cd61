#include <doctest/doctest.h>

#include <cerrno>
#include <set>
#include <string>

#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::testing;

namespace {

constexpr OpenOptions kCreate{.write = true, .create = true};

std::string sectors(char c, std::size_t n) { return std::string(n * kSectorBytes, c); }

/// A file /f, its name durable, holding `durable` synced sectors of 'd'.
std::unique_ptr<File> synced_file(SimFileSystem& fs, std::size_t durable) {
  auto file = fs.open("/f", kCreate).value();
  REQUIRE(file->pwrite(sectors('d', durable), 0).has_value());
  REQUIRE(file->sync_data().has_value());
  REQUIRE(fs.sync_dir("/").has_value());
  return file;
}

/// First byte of each sector of /f ('.' for zero): a picture of the file.
std::string picture(SimFileSystem& fs, const std::string& path = "/f") {
  const auto text = read_file(fs, path);
  if (!text) return "absent";
  std::string out;
  for (std::size_t at = 0; at < text->size(); at += kSectorBytes) {
    out += (*text)[at] == '\0' ? '.' : (*text)[at];
  }
  return out;
}

/// All pictures that `n` crashes give.
std::set<std::string> pictures(const SimFileSystem& fs, int n,
                               CrashStyle style = CrashStyle::kAny) {
  SeededRandom random(42);
  std::set<std::string> out;
  for (int i = 0; i < n; ++i) out.insert(picture(*fs.crashed(random, style)));
  return out;
}

using Pictures = std::set<std::string>;

}  // namespace

TEST_CASE("what is synced survives every crash") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 3);
  CHECK(fs.unsynced() == 0);
  CHECK(pictures(fs, 200) == Pictures{"ddd"});
}

TEST_CASE("each un-synced sector of one write is kept or lost by itself") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 3);
  REQUIRE(file->pwrite(sectors('n', 3), 0).has_value());
  CHECK(pictures(fs, 500) == Pictures{"ddd", "ddn", "dnd", "dnn", "ndd", "ndn", "nnd", "nnn"});
  CHECK(pictures(fs, 100, CrashStyle::kLoseAll) == Pictures{"ddd"});
  CHECK(pictures(fs, 100, CrashStyle::kKeepAll) == Pictures{"nnn"});
  CHECK(pictures(fs, 500, CrashStyle::kCut) == Pictures{"ddd", "ndd", "nnd", "nnn"});
  CHECK(pictures(fs, 500, CrashStyle::kReversed) == Pictures{"ddd", "ddn", "dnn", "nnn"});
  CHECK(picture(fs) == "nnn");
}

TEST_CASE("a sector is not torn inside") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 1);
  REQUIRE(file->pwrite("nnnn", 100).has_value());
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    const std::string text = read_file(*fs.crashed(random), "/f").value();
    const std::string middle = text.substr(98, 8);
    CHECK((middle == "dddddddd" || middle == "ddnnnndd"));
  }
}

TEST_CASE("a sector written twice may hold any of its versions") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 1);
  for (const char c : {'1', '2', '3'}) REQUIRE(file->pwrite(sectors(c, 1), 0).has_value());
  CHECK(pictures(fs, 500) == Pictures{"d", "1", "2", "3"});
}

TEST_CASE("appended sectors: the size may be kept without the bytes, not the other way") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 1);
  REQUIRE(file->pwrite(sectors('n', 1), kSectorBytes).has_value());
  CHECK(pictures(fs, 300) == Pictures{"d", "d.", "dn"});
  REQUIRE(file->sync_data().has_value());
  CHECK(pictures(fs, 100) == Pictures{"dn"});
}

TEST_CASE("allocated space reads as zero after a crash") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 1);
  REQUIRE(file->allocate(3 * kSectorBytes).has_value());
  REQUIRE(file->pwrite(sectors('n', 1), 2 * kSectorBytes).has_value());
  CHECK(pictures(fs, 300) == Pictures{"d", "d..", "d.n"});
}

TEST_CASE("a truncate is kept whole or undone whole") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 3);
  REQUIRE(file->truncate(kSectorBytes).has_value());
  CHECK(pictures(fs, 300) == Pictures{"ddd", "d"});
  REQUIRE(file->truncate(3 * kSectorBytes).has_value());
  CHECK(pictures(fs, 300) == Pictures{"ddd", "d", "d.."});
  REQUIRE(file->pwrite(sectors('n', 1), kSectorBytes).has_value());
  CHECK(pictures(fs, 500) == Pictures{"ddd", "d", "d..", "dn."});
  REQUIRE(file->sync().has_value());
  CHECK(pictures(fs, 100) == Pictures{"dn."});
}

TEST_CASE("a file's name is durable by sync_dir only, its bytes by fsync only") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreate).value();
  REQUIRE(file->pwrite(sectors('n', 1), 0).has_value());
  REQUIRE(file->sync().has_value());
  CHECK(pictures(fs, 200) == Pictures{"absent", "n"});
  REQUIRE(fs.sync_dir("/").has_value());
  CHECK(pictures(fs, 200) == Pictures{"n"});

  SimFileSystem other;
  const auto unsynced = other.open("/f", kCreate).value();
  REQUIRE(unsynced->pwrite(sectors('n', 1), 0).has_value());
  REQUIRE(other.sync_dir("/").has_value());
  CHECK(pictures(other, 300) == Pictures{"", ".", "n"});
}

TEST_CASE("a rename happens at once or not at all") {
  SimFileSystem fs;
  const auto old = synced_file(fs, 1);
  const auto fresh = fs.open("/f.tmp", kCreate).value();
  REQUIRE(fresh->pwrite(sectors('n', 2), 0).has_value());
  REQUIRE(fresh->sync().has_value());
  REQUIRE(fs.sync_dir("/").has_value());
  REQUIRE(fs.rename("/f.tmp", "/f").has_value());
  SeededRandom random(3);
  Pictures seen;
  for (int i = 0; i < 100; ++i) {
    const auto disk = fs.crashed(random);
    seen.insert(picture(*disk) + "|" + picture(*disk, "/f.tmp"));
  }
  CHECK(seen == Pictures{"d|nn", "nn|absent"});
  REQUIRE(fs.sync_dir("/").has_value());
  CHECK(pictures(fs, 100) == Pictures{"nn"});
}

TEST_CASE("a rename before the file's fsync may leave it empty") {
  SimFileSystem fs;
  const auto old = synced_file(fs, 1);
  const auto fresh = fs.open("/f.tmp", kCreate).value();
  REQUIRE(fresh->pwrite(sectors('n', 1), 0).has_value());
  REQUIRE(fs.rename("/f.tmp", "/f").has_value());
  CHECK(pictures(fs, 300) == Pictures{"d", "", ".", "n"});
}

TEST_CASE("an un-synced remove may be undone, with the bytes") {
  SimFileSystem fs;
  auto file = synced_file(fs, 2);
  file.reset();
  REQUIRE(fs.remove("/f").has_value());
  CHECK(pictures(fs, 200) == Pictures{"absent", "dd"});
  REQUIRE(fs.sync_dir("/").has_value());
  CHECK(pictures(fs, 200) == Pictures{"absent"});
}

TEST_CASE("sync_dir covers one directory, not its parents") {
  SimFileSystem fs;
  REQUIRE(make_dirs(fs, "/a/b").has_value());
  REQUIRE(fs.open("/a/b/f", kCreate).has_value());
  REQUIRE(fs.sync_dir("/a/b").has_value());
  SeededRandom random(5);
  Pictures seen;
  for (int i = 0; i < 200; ++i) {
    const auto disk = fs.crashed(random);
    seen.insert(exists(*disk, "/a/b/f") ? "file" : exists(*disk, "/a") ? "a only" : "nothing");
  }
  CHECK(seen == Pictures{"file", "a only", "nothing"});
  REQUIRE(fs.sync_dir("/a").has_value());
  REQUIRE(fs.sync_dir("/").has_value());
  CHECK(exists(*fs.crashed(random, CrashStyle::kLoseAll), "/a/b/f"));
}

TEST_CASE("a rename between directories is never half done") {
  SimFileSystem fs;
  REQUIRE(make_dirs(fs, "/a").has_value());
  REQUIRE(make_dirs(fs, "/b").has_value());
  REQUIRE(fs.open("/a/f", kCreate).has_value());
  for (const char* dir : {"/", "/a", "/b"}) REQUIRE(fs.sync_dir(dir).has_value());
  REQUIRE(fs.rename("/a/f", "/b/f").has_value());
  SeededRandom random(9);
  int moved = 0;
  for (int i = 0; i < 200; ++i) {
    const auto disk = fs.crashed(random);
    CHECK(exists(*disk, "/a/f") != exists(*disk, "/b/f"));
    moved += exists(*disk, "/b/f");
  }
  CHECK(moved > 20);
  CHECK(moved < 180);
  REQUIRE(fs.sync_dir("/b").has_value());
  CHECK_FALSE(exists(*fs.crashed(random, CrashStyle::kLoseAll), "/a/f"));
}

TEST_CASE("after a failed sync a later one saves only what was written since") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 2);
  REQUIRE(file->pwrite(sectors('n', 2), 0).has_value());
  fs.fail_call(fs.calls() + 1, SimFault::error(EIO));
  CHECK(file->sync_data().error().sys_errno == EIO);
  REQUIRE(file->sync_data().has_value());
  CHECK(pictures(fs, 300, CrashStyle::kLoseAll) == Pictures{"dd"});
  REQUIRE(file->pwrite(sectors('n', 1), 0).has_value());
  REQUIRE(file->sync_data().has_value());
  CHECK(pictures(fs, 300) == Pictures{"nd", "nn"});
}

TEST_CASE("a crashed disk has no locks, hooks or un-synced state, and can crash again") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 1);
  REQUIRE(file->try_lock(LockKind::kFlock, true).has_value());
  REQUIRE(file->pwrite(sectors('n', 1), 0).has_value());
  fs.observe([](const SimOp&) { FAIL("observed"); });
  SeededRandom random(1);
  const auto disk = fs.crashed(random, CrashStyle::kKeepAll);
  CHECK(disk->unsynced() == 0);
  CHECK(disk->calls() == 0);
  const auto again = disk->open("/f", kCreate).value();
  CHECK(again->try_lock(LockKind::kFlock, true).has_value());
  REQUIRE(again->pwrite(sectors('m', 1), 0).has_value());
  CHECK(pictures(*disk, 100) == Pictures{"n", "m"});
  CHECK(picture(fs) == "n");
  fs.observe({});
}

TEST_CASE("crash in place kills open files and keeps their memory valid") {
  SimFileSystem fs;
  const auto file = synced_file(fs, 1);
  const auto map = file->map(kSectorBytes, {}).value();
  REQUIRE(file->pwrite(sectors('n', 1), 0).has_value());
  SeededRandom random(1);
  fs.crash(random, CrashStyle::kLoseAll);
  CHECK(picture(fs) == "d");
  CHECK(file->pwrite("x", 0).error().sys_errno == EIO);
  CHECK(map->data()[0] == 'n');
}

TEST_CASE("a clone has everything, durable") {
  SimFileSystem fs;
  const auto file = fs.open("/f", kCreate).value();
  REQUIRE(file->pwrite(sectors('n', 2), 0).has_value());
  CHECK(pictures(*fs.clone(), 50) == Pictures{"nn"});
}

TEST_CASE("a crash is a function of disk and seed") {
  const auto run = [] {
    SimFileSystem fs;
    const auto file = synced_file(fs, 40);
    REQUIRE(file->pwrite(sectors('n', 40), 0).has_value());
    SeededRandom random(77);
    std::string out;
    for (int i = 0; i < 20; ++i) out += picture(*fs.crashed(random)) + "\n";
    return out;
  };
  CHECK(run() == run());
}

TEST_CASE("crashing a disk with sparse 64 MB files is cheap") {
  SimFileSystem fs;
  std::vector<std::unique_ptr<File>> files;
  for (int i = 0; i < 8; ++i) {
    files.push_back(fs.open("/" + std::to_string(i), kCreate).value());
    REQUIRE(files.back()->allocate(64'000'000).has_value());
    REQUIRE(files.back()->pwrite("some bytes", 1000).has_value());
    REQUIRE(files.back()->pwrite(std::string(1 << 20, '\0'), 32'000'000).has_value());
  }
  SeededRandom random(1);
  std::uint64_t files_seen = 0;
  for (int i = 0; i < 1000; ++i) files_seen += fs.crashed(random)->list("/").value().size();
  CHECK(files_seen > 1000);
}
