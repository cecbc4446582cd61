#include <doctest/doctest.h>

#include "disk_tools.h"
#include "sim_member.h"
#include "truss/test_support/artefacts.h"

using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;
using test_support::unpacked;

namespace {

constexpr const char* kFirstSegment = "/data/member/wal/0000000000000000-0000000000000000.wal";

Config at_level(CompatLevel level) {
  Config config = small_config();
  config.compat = level;
  return config;
}

/// Runs a member on `disk` until it served a few puts, then stops it.
void make_directory(SimFileSystem& disk, Config config, bool clean = true) {
  SimRuntime world(1);
  SimServer server(world, disk, std::move(config));
  REQUIRE_MESSAGE(server.started(), server.error());
  REQUIRE(server.run_until_ready());
  for (int i = 0; i < 5; ++i) REQUIRE(*server.put("k" + std::to_string(i), "v"));
  world.run_for(std::chrono::seconds(5));
  if (clean) server->stop();
}

/// The directory must be refused with a line that has every one of `words`, and stay as it was.
void check_refused(SimFileSystem& disk, const Config& config,
                   std::initializer_list<const char*> words) {
  const auto before = fingerprint(disk, "/data");
  SimRuntime world(2);
  SimServer server(world, disk, config);
  REQUIRE(!server.started());
  CHECK(server.member().alive());
  for (const char* word : words) {
    CHECK_MESSAGE(server.error().find(word) != std::string::npos, server.error());
  }
  CHECK(server.error().find('\n') == std::string::npos);
  CHECK(fingerprint(disk, "/data") == before);
}

void write(SimFileSystem& disk, const std::string& path, ByteView bytes, std::uint64_t offset) {
  auto file = disk.open(path, {.write = true, .create = true});
  REQUIRE(file);
  REQUIRE((*file)->pwrite(bytes, offset));
}

}  // namespace

TEST_CASE("a directory keeps its level until it is raised, and never goes back") {
  SimFileSystem disk;
  make_directory(disk, at_level(CompatLevel::k34));
  SUBCASE("without --compat") {
    SimRuntime world(3);
    SimServer server(world, disk, small_config());
    REQUIRE_MESSAGE(server.started(), server.error());
    CHECK(server->level() == CompatLevel::k34);
  }
  SUBCASE("raised") {
    make_directory(disk, at_level(CompatLevel::k36));
    {
      SimRuntime world(3);
      SimServer server(world, disk, small_config());
      REQUIRE_MESSAGE(server.started(), server.error());
      CHECK(server->level() == CompatLevel::k36);
      server->stop();
    }
    check_refused(disk, at_level(CompatLevel::k34), {"3.6.0", "--compat 3.4", "snap/db"});
  }
}

TEST_CASE("a directory in use is refused") {
  SimFileSystem disk;
  make_directory(disk, small_config());
  SimRuntime world(3);
  SimServer first(world, disk, small_config());
  REQUIRE(first.started());
  SimServer second(world, disk, small_config());
  REQUIRE(!second.started());
  CHECK_MESSAGE(second.error().find("locked") != std::string::npos, second.error());
  CHECK_MESSAGE(second.error().find("/data/member/snap/db") != std::string::npos, second.error());
}

TEST_CASE("half a directory is refused") {
  SimFileSystem disk;
  SUBCASE("a log that was being made") {
    make_directory(disk, small_config());
    REQUIRE(disk.remove("/data/member/snap/db"));
    REQUIRE(disk.rename("/data/member/wal", "/data/member/wal.tmp"));
    check_refused(disk, small_config(), {"wal.tmp", "half-created", "has entries", "rename"});
  }
  SUBCASE("no db") {
    make_directory(disk, small_config());
    REQUIRE(disk.remove("/data/member/snap/db"));
    check_refused(disk, small_config(), {"/data/member/snap/db", "missing"});
  }
  SUBCASE("no log") {
    make_directory(disk, small_config());
    REQUIRE(remove_all(disk, "/data/member/wal"));
    check_refused(disk, small_config(), {"/data/member/wal", "no log"});
  }
  SUBCASE("a file where a folder should be") {
    REQUIRE(disk.make_dir("/data"));
    write(disk, "/data/member", "x", 0);
    check_refused(disk, small_config(), {"/data/member", "not a directory"});
  }
}

TEST_CASE("a damaged log is refused with segment and offset") {
  SimFileSystem disk;
  make_directory(disk, small_config(), false);
  SUBCASE("a flipped bit in the middle") {
    auto file = disk.open(kFirstSegment, {.write = true});
    char byte = 0;
    REQUIRE((*file)->pread({&byte, 1}, 300));
    byte = static_cast<char>(byte ^ 4);
    REQUIRE((*file)->pwrite({&byte, 1}, 300));
  }
  SUBCASE("a record of unknown type") { write(disk, kFirstSegment, "\x09", 25); }
  check_refused(disk, small_config(), {kFirstSegment, "offset"});
}

TEST_CASE("a damaged db is refused") {
  SimFileSystem disk;
  make_directory(disk, small_config());
  write(disk, "/data/member/snap/db", std::string(64, '\xff'), 16);
  write(disk, "/data/member/snap/db", std::string(64, '\xff'), 4096 + 16);
  check_refused(disk, small_config(), {"/data/member/snap/db"});
}

TEST_CASE("a torn tail is mended and the member goes on") {
  SimFileSystem disk;
  make_directory(disk, small_config(), false);
  {
    auto file = disk.open(kFirstSegment, {.write = true});
    const auto bytes = read_file(disk, kFirstSegment);
    const std::size_t end = bytes->find_last_not_of('\0') / 8 * 8 + 8;
    REQUIRE((*file)->truncate(end - 5));
  }
  SimRuntime world(4);
  SimServer server(world, disk, small_config());
  REQUIRE_MESSAGE(server.started(), server.error());
  REQUIRE_MESSAGE(server.run_until_ready(), server.member().death());
  CHECK(server->store().current_revision() == 6);
}

TEST_CASE("a start that broke off at any point goes on") {
  for (std::uint64_t point = 1;; ++point) {
    CAPTURE(point);
    SimFileSystem disk;
    disk.stop_after(point);
    {
      SimRuntime world(point);
      SimServer server(world, disk, small_config());
      if (server.started()) server.run_until_ready();
    }
    if (!disk.stopped()) break;
    SeededRandom random(point);
    disk.crash(random);
    SimRuntime world(point + 1000);
    SimServer server(world, disk, small_config());
    REQUIRE_MESSAGE(server.started(), server.error());
    CHECK_MESSAGE(server.run_until_ready(), server.member().death());
  }
}

TEST_CASE("a directory of real etcd 3.4.23 is taken over at its level") {
  const auto& db = test_support::manifest("segments2")["dirs"]["seg.etcd"]["db"];
  const auto& wal = test_support::manifest("segments2")["dirs"]["seg.etcd"]["wal"];
  SimFileSystem disk;
  load_tree(disk, join_path(unpacked("segments2.tar.xz"), "seg.etcd"), "/data");
  SimRuntime world(5);
  SimServer server(world, disk, small_config());
  REQUIRE_MESSAGE(server.started(), server.error());
  CHECK(server->level() == CompatLevel::k34);
  const auto hash = server->store().hash_kv(0);
  REQUIRE(hash);
  CHECK(hash->hash == db["hashkv_current"].GetUint());
  REQUIRE_MESSAGE(server.run_until_ready(), server.member().death());
  CHECK(id_text(server->member_id()) == wal["metadata"]["node_id"].GetString());
  CHECK(id_text(server->cluster_id()) == wal["metadata"]["cluster_id"].GetString());
  CHECK(server->status().cluster_version == "3.4.0");
  CHECK(server->store().current_revision() == db["revision"].GetInt64());
  REQUIRE(*server.put("ours", "v"));
  CHECK(server.get("ours") == "v");
}

TEST_CASE("a member of a real cluster of three starts and waits for the others") {
  const auto& of_one = test_support::manifest("cluster3")["dirs"]["c1.etcd"];
  SimFileSystem disk;
  load_tree(disk, join_path(unpacked("cluster3.tar.xz"), "c1.etcd"), "/data");
  SimRuntime world(6);
  SimServer server(world, disk, small_config());
  REQUIRE_MESSAGE(server.started(), server.error());
  world.run_for(std::chrono::seconds(5));
  CHECK(server.member().alive());
  CHECK(server->status().leader == raft::kNoNode);
  CHECK(server->status().applied == raft::Index(380));
  std::vector<std::string> ids;
  for (const Member& member : *server->members()) ids.push_back(id_text(member.id));
  CHECK(ids ==
        std::vector<std::string>{"15f69813d71a9369", "95b01bcc5da1ac85", "c028dbc95b91c270"});
  CHECK(server->members()->front().name == "c3");
  const auto hash = server->store().hash_kv(0);
  REQUIRE(hash);
  CHECK(hash->hash == of_one["db"]["hashkv_current"].GetUint());
}

TEST_CASE("--force-new-cluster makes one of three a cluster of its own, with the data") {
  SimFileSystem disk;
  load_tree(disk, join_path(unpacked("cluster3.tar.xz"), "c2.etcd"), "/data");
  SimRuntime world(6);
  Config config = small_config();
  config.force_new_cluster = true;
  {
    SimServer server(world, disk, config);
    REQUIRE_MESSAGE(server.started(), server.error());
    REQUIRE_MESSAGE(server.run_until_ready(), server.member().death());
    CHECK(server->members()->size() == 1);
    REQUIRE(*server.put("k", "v"));
    server->stop();
  }
  SimServer server(world, disk, small_config());
  REQUIRE_MESSAGE(server.started(), server.error());
  REQUIRE_MESSAGE(server.run_until_ready(), server.member().death());
  REQUIRE(server->members()->size() == 1);
  CHECK(id_text(server->members()->front().id) == "95b01bcc5da1ac85");
  CHECK(server->store().current_revision() == 364);
}

TEST_CASE("real directories that need authentication are refused untouched") {
  for (const auto& [artefact, name] :
       {std::pair{"single", "s1.etcd"}, std::pair{"torn-tail-truncated", "s1.etcd"},
        std::pair{"torn-tail-sector", "s1.etcd"}, std::pair{"restored", "rest.etcd"}}) {
    CAPTURE(artefact);
    SimFileSystem disk;
    load_tree(disk, join_path(unpacked(std::string(artefact) + ".tar.xz"), name), "/data");
    check_refused(disk, small_config(), {"/data/member/snap/db", "authentication"});
  }
}

TEST_CASE("a flipped bit is named before anything else is asked") {
  SimFileSystem disk;
  load_tree(disk, join_path(unpacked("bitflip-middle.tar.xz"), "s1.etcd"), "/data");
  check_refused(disk, small_config(), {kFirstSegment, "offset 16176"});
}

TEST_CASE("a log without a single record is refused") {
  for (const std::size_t size : {0, 64000}) {
    CAPTURE(size);
    SimFileSystem disk;
    make_directory(disk, small_config());
    {
      auto file = disk.open(kFirstSegment, {.write = true});
      REQUIRE((*file)->truncate(0));
      REQUIRE((*file)->truncate(size));
    }
    check_refused(disk, small_config(), {"/data/member/wal"});
  }
}

TEST_CASE("a log that ends before what the db has applied is refused") {
  SimFileSystem disk;
  make_directory(disk, small_config());
  const auto log = read_file(disk, kFirstSegment);
  REQUIRE(log);
  {
    SimRuntime world(8);
    SimServer server(world, disk, small_config());
    REQUIRE(server.run_until_ready());
    REQUIRE(*server.put("k", "v"));
    server->stop();
  }
  write(disk, kFirstSegment, *log, 0);
  check_refused(disk, small_config(), {"/data/member/wal", "ends at entry", "snap/db"});
}

TEST_CASE("damage that looks like the end of the log is told from a torn tail") {
  for (const CompatLevel level : {CompatLevel::k34, CompatLevel::k36}) {
    CAPTURE(level_name(level));
    SimFileSystem disk;
    make_directory(disk, at_level(level), false);
    const auto log = read_file(disk, kFirstSegment);
    REQUIRE(log);
    // The put of k2: its frame begins 8 bytes before the record.
    const std::size_t key = log->find("\x0a\x02k2");
    REQUIRE(key != std::string::npos);
    std::size_t frame = key / 8 * 8;
    while (load_le<std::uint64_t>(log->data() + frame) << 8 >> 8 > 200) frame -= 8;
    SUBCASE("a length of zero") { write(disk, kFirstSegment, std::string(8, '\0'), frame); }
    SUBCASE("a length far too large") { write(disk, kFirstSegment, "\xff\xff\x10", frame); }
    check_refused(disk, at_level(level), {kFirstSegment, "offset"});
  }
}

TEST_CASE("at level 3.4 no request is taken that 3.4 could not read back") {
  SimFileSystem disk;
  Config config = at_level(CompatLevel::k34);
  config.max_request_bytes = 64U << 20;
  {
    SimRuntime world(9);
    SimServer server(world, disk, config);
    REQUIRE(server.run_until_ready());
    CHECK(!*server.put("k", std::string(10 << 20, 'x')));
    CHECK(*server.put("k", std::string((10 << 20) - 2000, 'x')));
  }
  SimRuntime world(10);
  SimServer server(world, disk, config);
  REQUIRE_MESSAGE(server.started(), server.error());
}

TEST_CASE("raising a directory puts its v2 requests behind a snapshot, for 3.7's sake") {
  SimFileSystem disk;
  make_directory(disk, at_level(CompatLevel::k34));
  CHECK(disk.list("/data/member/snap")->size() == 1);
  make_directory(disk, at_level(CompatLevel::k36));
  CHECK(disk.list("/data/member/snap")->size() == 2);
  make_directory(disk, at_level(CompatLevel::k37));
  CHECK(disk.list("/data/member/snap")->size() == 2);
}

TEST_CASE("a member that learns of its own removal from its log says so after a second") {
  SimFileSystem disk;
  load_tree(disk, join_path(unpacked("cluster3-removed-member.tar.xz"), "c4.etcd"), "/data");
  SimRuntime world(11);
  SimServer server(world, disk, small_config());
  REQUIRE_MESSAGE(server.started(), server.error());
  bool gone = false;
  server->on_removed([&] { gone = true; });
  world.run_for(std::chrono::milliseconds(900));
  CHECK(!gone);
  world.run_for(std::chrono::seconds(1));
  CHECK(gone);
  CHECK(server.member().alive());
}
