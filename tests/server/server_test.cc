#include <doctest/doctest.h>

#include "data_dir.h"
#include "sim_member.h"
#include "truss/mvcc/errors.h"
#include "truss/server/errors.h"
#include "truss/snap/snap_file.h"
#include "truss/test_support/hex.h"

using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;
using test_support::from_hex;

namespace {

std::string first_wal_bytes(FileSystem& disk, std::size_t count) {
  const auto bytes = read_file(disk, "/data/member/wal/0000000000000000-0000000000000000.wal");
  REQUIRE(bytes);
  return bytes->substr(0, count);
}

}  // namespace

TEST_CASE("a new member's first WAL records are real etcd's") {
  // facts/disk-formats §11.1, but for the name "s1".
  const std::string expected =
      from_hex(
          "0400000000000084 08041000 00000000"
          "1f00000000000081 080110c3de9384051a1508b6dfb186f69fb883d90110ffc8eae297bcefe047 00"
          "0e00000000000082 080510aab1a4ed041a0408001000 0000"
          "7000000000000000 080210efe1b7fe0e1a66 080110011801225e"
          "0800100018b6dfb186f69fb883d901224d") +
      R"({"id":15638434143535919030,"peerURLs":["http://127.0.0.1:24801"],"name":"s1"})" +
      from_hex("1000000000000000 0803109d8cbd95041a06080110001801");
  REQUIRE(expected.size() == 224);
  SimRuntime world(1);
  SimFileSystem disk;
  Config config = small_config();
  config.name = "s1";
  SimServer server(world, disk, config);
  REQUIRE_MESSAGE(server.started(), server.error());
  CHECK(to_hex(first_wal_bytes(disk, expected.size())) == to_hex(expected));
  CHECK(id_text(server->member_id()) == "d906e0ff60cc6fb6");
  CHECK(id_text(server->cluster_id()) == "47c1bde17c5aa47f");
}

TEST_CASE("a put is answered with its revision and can be read") {
  SimRuntime world(2);
  SimFileSystem disk;
  SimServer server(world, disk, small_config());
  REQUIRE_MESSAGE(server.started(), server.error());
  REQUIRE_MESSAGE(server.run_until_ready(), server.member().death());
  const auto first = server.put("k", "v1");
  REQUIRE(first);
  REQUIRE(*first);
  CHECK((*first)->revision == 2);
  const auto second = server.put("k", "v2");
  REQUIRE(second);
  CHECK((**second).revision == 3);
  CHECK(server.read_index());
  CHECK(server.get("k") == "v2");
  CHECK(server->status().is_leader);
  CHECK(server->status().leader == server->member_id());
  REQUIRE(server->members()->size() == 1);
  CHECK(server->members()->front().name == "m1");
}

TEST_CASE("each level announces its version and agrees on the cluster's") {
  for (const CompatLevel level :
       {CompatLevel::k34, CompatLevel::k35, CompatLevel::k36, CompatLevel::k37}) {
    CAPTURE(level_name(level));
    SimRuntime world(3);
    SimFileSystem disk;
    Config config = small_config();
    config.compat = level;
    SimServer server(world, disk, config);
    REQUIRE_MESSAGE(server.started(), server.error());
    REQUIRE(server.run_until_ready());
    world.run_for(std::chrono::seconds(1));
    const Status status = server->status();
    CHECK(status.version == server_version(level));
    CHECK(status.cluster_version == cluster_version_of(level));
    CHECK(status.storage_version == (level >= CompatLevel::k36 ? cluster_version_of(level) : ""));
  }
}

TEST_CASE("what was answered is there after a clean stop and after a kill") {
  for (const bool clean : {true, false}) {
    CAPTURE(clean);
    SimRuntime world(4);
    SimFileSystem disk;
    {
      SimServer server(world, disk, small_config());
      REQUIRE(server.started());
      REQUIRE(server.run_until_ready());
      for (int i = 0; i < 50; ++i) {
        const auto done = server.put("k" + std::to_string(i), "v" + std::to_string(i));
        REQUIRE(done);
        REQUIRE(*done);
      }
      if (clean) server->stop();
    }
    // Request ids have 256 places a millisecond; simulated starts are quicker than real ones.
    world.run_for(std::chrono::milliseconds(10));
    SimServer server(world, disk, small_config());
    REQUIRE_MESSAGE(server.started(), server.error());
    REQUIRE_MESSAGE(server.run_until_ready(), server.member().death());
    for (int i = 0; i < 50; ++i) {
      CHECK(server.get("k" + std::to_string(i)) == "v" + std::to_string(i));
    }
    CHECK(server->store().current_revision() == 51);
    const auto next = server.put("k", "v");
    REQUIRE(next);
    CHECK((**next).revision == 52);
  }
}

TEST_CASE("snapshots, release and purge keep a member that starts again") {
  SimRuntime world(5);
  SimFileSystem disk;
  Config config = small_config();
  config.snapshot_count = 20;
  config.snapshot_catch_up_entries = 5;
  config.max_wal_files = 2;
  config.max_snap_files = 2;
  config.purge_interval = std::chrono::seconds(1);
  {
    SimServer server(world, disk, config);
    REQUIRE(server.started());
    REQUIRE(server.run_until_ready());
    for (int i = 0; i < 200; ++i) {
      const auto done = server.put("k" + std::to_string(i % 10), std::string(2000, 'x'));
      REQUIRE(done);
      REQUIRE(*done);
    }
    world.run_for(std::chrono::seconds(3));
    const auto snaps = disk.list("/data/member/snap");
    REQUIRE(snaps);
    CHECK(snaps->size() == 3);  // two snapshots and the db
    const auto wals = disk.list("/data/member/wal");
    REQUIRE(wals);
    CHECK(wals->front() != "0000000000000000-0000000000000000.wal");
  }
  SimServer server(world, disk, config);
  REQUIRE_MESSAGE(server.started(), server.error());
  REQUIRE(server.run_until_ready());
  CHECK(server->store().current_revision() == 201);
  CHECK(server.get("k9") == std::string(2000, 'x'));
}

TEST_CASE("a compaction that is waited for may take longer than a request") {
  SimRuntime world(9);
  SimFileSystem disk;
  Config config = small_config();
  config.compaction_batch_limit = 1;
  config.compaction_sleep_interval = config.request_timeout() / 10;
  SimServer server(world, disk, config);
  REQUIRE(server.started());
  REQUIRE(server.run_until_ready());
  for (int i = 0; i < 30; ++i) REQUIRE(server.put("k", std::to_string(i)));
  std::optional<Result<ApplyResponse>> answer;
  const MonoTime start = world.clock().now();
  server->propose(Op::kCompaction, from_hex("081e1001"),
                  [&](Result<ApplyResponse> r) { answer = std::move(r); });
  REQUIRE(world.run_until([&] { return answer.has_value(); }, 5 * config.request_timeout()));
  CHECK_MESSAGE(answer->has_value(), (*answer ? "" : answer->error().message));
  CHECK(world.clock().now() - start > config.request_timeout());
}

TEST_CASE("requests that can't be served are refused at once") {
  SimRuntime world(6);
  SimFileSystem disk;
  Config config = small_config();
  config.max_request_bytes = 1000;
  SimServer server(world, disk, config);
  REQUIRE(server.started());
  REQUIRE(server.run_until_ready());
  const auto large = server.put("k", std::string(2000, 'x'));
  REQUIRE(large);
  CHECK(large->error() == errors::request_too_large());
  const auto future = server.ask(Op::kCompaction, from_hex("0864"));
  REQUIRE(future);
  CHECK(future->error() == mvcc::errors::future_revision());
  server->stop();
  std::optional<Error> stopped;
  server->propose(Op::kPut, SimServer::put_body("k", "v"),
                  [&](Result<ApplyResponse> r) { stopped = r.error(); });
  CHECK(stopped == errors::stopped());
}

TEST_CASE("the quota raises an alarm that stops puts and lets deletes pass") {
  SimRuntime world(7);
  SimFileSystem disk;
  Config config = small_config();
  config.quota_backend_bytes = 256 * 1024;
  SimServer server(world, disk, config);
  REQUIRE(server.started());
  REQUIRE(server.run_until_ready());
  std::optional<Error> refused;
  for (int i = 0; i < 400 && !refused; ++i) {
    const auto done = server.put("k" + std::to_string(i), std::string(4000, 'x'));
    REQUIRE(done);
    if (!*done) refused = done->error();
    if (i % 20 == 0) world.run_for(std::chrono::seconds(1));
  }
  REQUIRE(refused);
  CHECK(*refused == errors::no_space());
  REQUIRE(server->alarms().size() == 1);
  CHECK(server->alarms()[0] == AlarmMember{server->member_id(), AlarmType::kNoSpace});
  CHECK(server->status().errors ==
        std::vector<std::string>{"memberID:15638434143535919030 alarm:NOSPACE "});
  const auto put = server.put("small", "v");
  CHECK(put->error() == errors::no_space());
  const auto del = server.ask(Op::kDeleteRange, from_hex("0a026b30"));
  REQUIRE(*del);
  CHECK(std::get<mvcc::DeleteRangeResult>((**del).result).deleted == 1);

  std::string disarm;
  PbWriter out(disarm);
  out.put_varint(1, 2);
  out.put_varint(2, server->member_id().value());
  out.put_varint(3, 1);
  const auto off = server.ask(Op::kAlarm, disarm);
  REQUIRE(*off);
  CHECK(std::get<AlarmResult>((**off).result).alarms.size() == 1);
  CHECK(server->alarms().empty());
}

TEST_CASE("a lease that nobody renews is revoked with its keys") {
  SimRuntime world(8);
  SimFileSystem disk;
  SimServer server(world, disk, small_config());
  REQUIRE(server.started());
  REQUIRE(server.run_until_ready());
  std::optional<LeaseGrantResult> lease;
  server->lease_grant(0, 1, [&](Result<ApplyResponse> r) {
    if (r) lease = std::get<LeaseGrantResult>(r->result);
  });
  REQUIRE(world.run_until([&] { return lease.has_value(); }));
  CHECK(lease->id > 0);
  CHECK(lease->ttl_seconds == 2);
  std::string body = SimServer::put_body("leased", "v");
  PbWriter(body).field_varint(3, static_cast<std::uint64_t>(lease->id));
  REQUIRE(*server.ask(Op::kPut, body));
  std::optional<std::int64_t> ttl;
  server->lease_renew(lease->id, [&](Result<std::int64_t> r) { ttl = r.value_or(-1); });
  REQUIRE(world.run_until([&] { return ttl.has_value(); }));
  CHECK(*ttl == 2);
  CHECK(server.get("leased") == "v");
  world.run_for(std::chrono::seconds(4));
  CHECK(!server.get("leased"));
  ttl.reset();
  server->lease_renew(lease->id, [&](Result<std::int64_t> r) { ttl = r.value_or(-1); });
  REQUIRE(world.run_until([&] { return ttl.has_value(); }));
  CHECK(*ttl == 0);
}

TEST_CASE("a physical compaction answers when its deletions are done") {
  SimRuntime world(9);
  SimFileSystem disk;
  SimServer server(world, disk, small_config());
  REQUIRE(server.started());
  REQUIRE(server.run_until_ready());
  for (int i = 0; i < 20; ++i) server.put("k", std::to_string(i));
  const auto done = server.ask(Op::kCompaction, from_hex("080a1001"));
  REQUIRE(done);
  REQUIRE(*done);
  CHECK(server->store().compact_revision() == 10);
  const auto again = server.ask(Op::kCompaction, from_hex("080a"));
  CHECK(again->error() == mvcc::errors::compacted());
}

TEST_CASE("the only member can't be removed, and one more can't join unseen") {
  SimRuntime world(10);
  SimFileSystem disk;
  SimServer server(world, disk, small_config());
  REQUIRE(server.started());
  REQUIRE(server.run_until_ready());
  std::optional<Error> error;
  server->remove_member(server->member_id(),
                        [&](Result<ApplyResponse> r) { error = r ? Error{} : r.error(); });
  REQUIRE(world.run_until([&] { return error.has_value(); }));
  CHECK(*error == errors::member_not_enough_started());
  error.reset();
  server->remove_member(raft::NodeId(1),
                        [&](Result<ApplyResponse> r) { error = r ? Error{} : r.error(); });
  CHECK(*error == errors::member_not_found());
  error.reset();
  server->update_member(server->member_id(), {"http://127.0.0.1:9"},
                        [&](Result<ApplyResponse> r) { error = r ? Error{} : r.error(); });
  REQUIRE(world.run_until([&] { return error.has_value(); }));
  CHECK(server->members()->front().peer_urls == std::vector<std::string>{"http://127.0.0.1:9"});
}

TEST_CASE("the db covers a snapshot even if the last entries changed nothing") {
  SimRuntime world(12);
  SimFileSystem disk;
  Config config = small_config();
  config.snapshot_count = 10;
  {
    SimServer server(world, disk, config);
    REQUIRE(server.run_until_ready());
    // Deletions of nothing: the entries change no bucket.
    for (int i = 0; i < 30; ++i) REQUIRE(*server.ask(Op::kDeleteRange, from_hex("0a017a")));
    world.run_for(std::chrono::seconds(1));
  }
  std::uint64_t newest = 0;
  const auto names = disk.list("/data/member/snap");
  REQUIRE(names);
  for (const std::string& name : *names) {
    const auto mark = snap::parse_snap_file_name(name);
    if (mark) newest = std::max(newest, mark->index.value());
  }
  CHECK(newest > 20);
  const auto db = read_db_facts(disk, "/data/member/snap/db");
  REQUIRE(db);
  CHECK(db->meta.consistent_index >= newest);
}
