#include "corruption.h"

#include <doctest/doctest.h>

#include "peer_cluster.h"
#include "truss/mvcc/txn.h"
#include "truss/server/errors.h"

/// Members compare their data: at start, and while one leads.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

constexpr raft::NodeId kSelf{1};
constexpr raft::NodeId kOther{2};

mvcc::HashKv own(std::uint32_t hash, std::int64_t revision = 10, std::int64_t compacted = 5) {
  mvcc::HashKv out;
  out.hash = hash;
  out.current_revision = out.hash_revision = revision;
  out.compact_revision = compacted;
  return out;
}

std::vector<PeerHash> others(std::uint32_t hash, std::int64_t revision = 10,
                             std::int64_t compacted = 5) {
  return {{raft::NodeId(3), fail(Code::kUnavailable, "away")},
          {kOther, PeerHashKv{revision, hash, compacted, 0}}};
}

/// A write that no other member hears of.
void corrupt(PeerCluster& cluster, const std::string& name) {
  mvcc::PutRequest put;
  put.key = "stray";
  put.value = "bit";
  REQUIRE(mvcc::apply_put(cluster[name]->store(), put));
}

Duration every_five(Config& config) { return config.corrupt_check_time = std::chrono::seconds(5); }

bool alarmed(PeerCluster& cluster, const std::string& at, raft::NodeId member) {
  return cluster.run_until([&] {
    const auto alarms = cluster[at]->alarms();
    return alarms == std::vector<AlarmMember>{{member, AlarmType::kCorrupt}};
  });
}

}  // namespace

TEST_CASE("a hash that differs at one revision and compaction is a doubt, anything less is none") {
  CHECK_FALSE(judge_hashes(kSelf, own(7), own(7), others(7)));
  CHECK(judge_hashes(kSelf, own(7), own(7), others(8))->member == kOther);
  // Compacted later than the look, or not yet: nothing can be said.
  CHECK_FALSE(judge_hashes(kSelf, own(7), own(8, 12, 6), others(8, 10, 6)));
  CHECK_FALSE(judge_hashes(kSelf, own(7), own(7), others(8, 10, 4)));
  // Nobody can be ahead of what was agreed, nor have compacted more.
  CHECK(judge_hashes(kSelf, own(7), own(7), others(7, 11))->member == kOther);
  CHECK(judge_hashes(kSelf, own(7), own(7), others(7, 10, 6))->member == kOther);
  CHECK_FALSE(judge_hashes(kSelf, own(7), own(9, 11), others(7, 11)));
  // Its own data changed by itself.
  CHECK(judge_hashes(kSelf, own(7), own(8), others(7))->member == kSelf);
  CHECK_FALSE(judge_hashes(kSelf, own(7), own(8, 11), others(7)));
}

TEST_CASE("before it serves a member trusts only hashes of its own compaction") {
  CHECK(differing(own(7), others(7)).empty());
  CHECK(differing(own(7), others(8, 10, 4)).empty());
  CHECK(differing(own(7), others(8, 99)) == std::vector<raft::NodeId>{kOther});
}

TEST_CASE("a leader that finds other data at a follower raises CORRUPT, and nobody writes on") {
  for (const CompatLevel level : {CompatLevel::k35, CompatLevel::k36}) {
    PeerCluster cluster(3, [&](Config& c) { c.compat = level, every_five(c); });
    const std::string leader = cluster.leader();
    REQUIRE(!leader.empty());
    const std::string follower = cluster.follower();
    REQUIRE(*cluster[leader].ask(Op::kPut, SimServer::put_body("k", "v")));
    cluster.world.run_for(std::chrono::seconds(20));
    CHECK(cluster[leader]->alarms().empty());
    CHECK(cluster[leader].logger().contains("finished peer corruption check"));

    corrupt(cluster, follower);
    // Up to 3.5 it isn't said who is wrong.
    const raft::NodeId blamed = level < CompatLevel::k36 ? raft::kNoNode : cluster.id(follower);
    for (const char* name : {"a", "b", "c"}) CHECK(alarmed(cluster, name, blamed));
    const auto refused = cluster[leader].ask(Op::kPut, SimServer::put_body("k", "w"));
    REQUIRE(refused);
    REQUIRE_FALSE(*refused);
    CHECK(refused->error() == errors::corrupt());
  }
}

TEST_CASE("a member whose data differs refuses to start, if asked to look first") {
  PeerCluster cluster;
  REQUIRE(!cluster.leader().empty());
  const auto put = [&](const std::string& at) {
    REQUIRE(*cluster[at].ask(Op::kPut, SimServer::put_body("k", "v")));
  };
  put("a");
  cluster.config("b").initial_corrupt_check = true;
  cluster.stop("b");
  REQUIRE_MESSAGE(cluster.start("b"), cluster.error("b"));  // alike
  REQUIRE(cluster[("b")].run_until_ready());

  corrupt(cluster, "b");
  put("a");
  cluster.stop("b");
  REQUIRE(!cluster.leader().empty());
  for (int i = 0; i < 3; ++i) put("a");
  CHECK_FALSE(cluster.start("b"));
  CHECK(cluster.error("b").find("found data inconsistency with peers") != std::string::npos);
  cluster.config("b").initial_corrupt_check = false;
  CHECK(cluster.start("b"));
}
