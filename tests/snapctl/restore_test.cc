#include "truss/snaptool/restore.h"

#include <doctest/doctest.h>

#include "small_db.h"
#include "truss/common/testing/memory_logger.h"
#include "truss/schema/membership.h"
#include "truss/schema/meta.h"
#include "truss/snap/image.h"
#include "truss/snap/snapshotter.h"
#include "truss/snap/v2_store.h"
#include "truss/snaptool/hash_kv.h"
#include "truss/snaptool/records.h"
#include "truss/snaptool/verify.h"
#include "truss/test_support/artefacts.h"
#include "truss/test_support/temp_dir.h"
#include "truss/wal/wal.h"

using namespace truss;
using namespace truss::snaptool;

namespace {

PosixFileSystem disk;
SystemProcess process;

Result<Restored> run(const RestoreOptions& options) {
  truss::testing::MemoryLogger log;
  return restore(disk, process, log, options);
}

std::string snapshot_path() { return test_support::artefact_dir() + "/snapshot.db"; }

RestoreOptions three(const test_support::TempDir& dir, const std::string& name) {
  RestoreOptions options;
  options.snapshot = snapshot_path();
  options.data_dir = dir / name;
  options.name = name;
  options.initial_cluster =
      "n1=http://127.0.0.1:24820,n2=http://127.0.0.1:24821,n3=http://127.0.0.1:24822";
  options.initial_cluster_token = "fix-cluster";
  options.advertise_peer_urls = "http://127.0.0.1:2482" + std::to_string(name[1] - '1');
  return options;
}

std::uint32_t hash_of(const std::string& path, std::int64_t revision = 0) {
  DbFile file = DbFile::open(disk, path).value();
  return hash_kv(file.tx(), revision)->hash;
}

}  // namespace

TEST_CASE("one of three members: ids, log, .snap and db say the same") {
  test_support::TempDir dir;
  const Restored made = run(three(dir, "n2")).value();
  CHECK(made.plan.self == raft::NodeId(0x95b01bcc5da1ac85));
  CHECK(made.plan.cluster_id == 0xb6b45e612407a135);
  CHECK(made.revision == 271);

  wal::OpenedWal log =
      wal::open_and_read(disk, process, dir / "n2/member/wal", {}, wal::Options{}).value();
  CHECK(log.contents.entries.size() == 3);
  CHECK(log.contents.hard_state ==
        raft::HardState{raft::Term{1}, raft::NodeId(0x15f69813d71a9369), raft::Index{3}});
  CHECK(wal::decode_identity(log.contents.metadata)->node_id == made.plan.self);

  truss::testing::MemoryLogger logger;
  snap::Snapshotter snapshotter(disk, logger, dir / "n2/member/snap");
  const raft::Snapshot snapshot = snapshotter.load_newest().value();
  CHECK(snapshot.metadata.index == raft::Index{3});
  CHECK(snapshot.metadata.conf_state.voters.size() == 3);
  CHECK(snap::parse_v2_store(snapshot.data.view())->members.size() == 3);

  DbFile db = DbFile::open(disk, dir / "n2").value();
  const schema::Membership membership = schema::read_membership(db.tx()).value();
  CHECK(membership.members.size() == 3);
  CHECK(membership.removed.empty());
  CHECK(membership.members[0].name == "n3");
  const schema::Meta meta = schema::read_meta(db.tx()).value();
  CHECK(meta.consistent_index == 3);
  CHECK(meta.term == 1);
  CHECK(meta.conf_state->voters.size() == 3);
  CHECK(hash_of(dir / "n2") == hash_of(snapshot_path()));
  CHECK(verify(disk, dir / "n2", true, [](auto, const auto&) {})->faults == 0);
}

TEST_CASE("a bumped revision is the newest, and compacted up to itself") {
  test_support::TempDir dir;
  RestoreOptions options{.snapshot = snapshot_path(), .data_dir = dir / "d"};
  options.bump_revision = 1000;
  options.mark_compacted = true;
  const Restored made = run(options).value();
  CHECK(made.revision == 1271);
  CHECK(made.compact_revision == 1271);
  DbFile db = DbFile::open(disk, dir / "d").value();
  CHECK(read_revisions(db.tx())->current == 1271);
  CHECK(verify(disk, dir / "d", true, [](auto, const auto&) {})->faults == 0);
  options.data_dir = dir / "e";
  options.mark_compacted = false;
  CHECK(run(options).error().code == Code::kInvalidArgument);
  options.mark_compacted = true;
  options.bump_revision = 0;
  CHECK(run(options).error().code == Code::kInvalidArgument);
  CHECK_FALSE(exists(disk, dir / "e"));
}

TEST_CASE("a log apart, and an empty data directory that is there already") {
  test_support::TempDir dir;
  RestoreOptions options{.snapshot = snapshot_path(), .data_dir = dir / "d"};
  options.wal_dir = dir / "w";
  REQUIRE(disk.make_dir(dir / "d", 0700).has_value());
  REQUIRE(run(options).has_value());
  CHECK(disk.list(dir.path()).value() == std::vector<std::string>{"d", "w"});
  CHECK(disk.list(dir / "d").value() == std::vector<std::string>{"member"});
  CHECK(disk.list(dir / "d/member").value() == std::vector<std::string>{"snap"});
  CHECK(disk.list(dir / "w")->size() == 1);
  CHECK(run(options).error().code == Code::kAlreadyExists);
}

TEST_CASE("what is refused leaves nothing behind") {
  test_support::TempDir dir;
  const std::string whole = snaptool_test::contents(snapshot_path());
  const auto refused = [&](const std::string& bytes) {
    snaptool_test::write_file(dir / "s", bytes);
    const auto made = run({.snapshot = dir / "s", .data_dir = dir / "d"});
    return !made && made.error().code == Code::kCorruption &&
           disk.list(dir.path()).value() == std::vector<std::string>{"s"};
  };
  CHECK(refused(whole.substr(0, whole.size() - 32)));
  CHECK(refused(whole.substr(0, whole.size() - 1)));
  CHECK(refused(whole.substr(0, 512 * 20 + 32)));
  for (const std::size_t at : {0u, 4096u, 20'000u, 40'990u}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    CHECK(refused(damaged));
  }
  RestoreOptions options{.snapshot = dir / "none", .data_dir = dir / "d"};
  CHECK(run(options).error().code == Code::kNotFound);
}

TEST_CASE("a db file without a hash restores when told so, one that hangs together badly doesn't") {
  test_support::TempDir dir;
  const std::string whole = snaptool_test::contents(snapshot_path());
  snaptool_test::write_file(dir / "s", whole.substr(0, whole.size() - 32));
  RestoreOptions options{.snapshot = dir / "s", .data_dir = dir / "d"};
  options.skip_hash_check = true;
  CHECK(run(options).has_value());
  CHECK(hash_of(dir / "d") == hash_of(snapshot_path()));
  snaptool_test::write_file(dir / "s", whole.substr(0, 4096 * 6));
  options.data_dir = dir / "e";
  CHECK(run(options).error().code == Code::kCorruption);
  CHECK_FALSE(exists(disk, dir / "e"));
}

TEST_CASE("flags that make no cluster") {
  test_support::TempDir dir;
  const auto refusal = [&](const std::string& cluster, const std::string& advertised) {
    RestoreOptions options{.snapshot = snapshot_path(), .data_dir = dir / "d"};
    options.name = "n1";
    options.initial_cluster = cluster;
    options.advertise_peer_urls = advertised;
    const auto plan = plan_restore(disk, options);
    return plan ? std::string() : plan.error().message;
  };
  const std::string url = "http://127.0.0.1:2380";
  CHECK(refusal("n1=" + url, url).empty());
  CHECK(refusal("n1=http://127.0.0.1:1,n1=" + url, url + ",http://127.0.0.1:1").empty());
  CHECK(refusal("n2=" + url, url).find("couldn't find local name \"n1\"") == 0);
  CHECK(refusal("n1=" + url + ",n2=" + url, url).find("twice") != std::string::npos);
  CHECK(refusal("n1=" + url, "http://127.0.0.1:2381").find("differs") != std::string::npos);
  CHECK(refusal("n1=127.0.0.1:2380", url).find("must use http") != std::string::npos);
  CHECK(refusal("n1=http://127.0.0.1", url).find("must be of the form") != std::string::npos);
  CHECK(refusal("n1=http://127.0.0.1:2380/x", url).find("path") != std::string::npos);
  CHECK(refusal(url, url).find("NAME=URL") != std::string::npos);
}

TEST_CASE("with several threads: the same db, and the same refusals") {
  test_support::TempDir dir;
  const auto restored = [&](const std::string& snapshot, unsigned threads) {
    RestoreOptions options{.snapshot = snapshot, .data_dir = dir / "d"};
    options.threads = threads;
    options.skip_hash_check = snapshot.ends_with(".raw");
    auto made = run(options);
    std::string db = made ? snaptool_test::contents(dir / "d/member/snap/db") : "";
    if (!made) db = made.error().message;
    REQUIRE(remove_all(disk, dir / "d").has_value());
    return db;
  };
  const std::string sound = snaptool_test::contents(snapshot_path());
  CHECK((restored(snapshot_path(), 1) == restored(snapshot_path(), 3)));
  std::string wrong = sound;
  wrong[sound.size() / 2] ^= 1;
  snaptool_test::write_file(dir / "wrong", wrong);
  CHECK(restored(dir / "wrong", 3).find("sha256") != std::string::npos);
  // Pages that lie, with nothing else to show it.
  std::string pages = sound.substr(0, sound.size() - snap::kImageHashBytes);
  for (std::size_t page = 2 * 4096; page < pages.size(); page += 4096) pages[page] ^= 64;
  snaptool_test::write_file(dir / "pages.raw", pages);
  CHECK(restored(dir / "pages.raw", 1).find("page") != std::string::npos);
  CHECK(restored(dir / "pages.raw", 1) == restored(dir / "pages.raw", 3));
}
