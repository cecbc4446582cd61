#include "reconfiguration.h"

#include <doctest/doctest.h>

#include "peer_cluster.h"
#include "truss/server/errors.h"

/// Adding, promoting, updating and removing members of a running cluster.
using namespace truss;
using namespace truss::server;
using namespace truss::server::testing;

namespace {

/// A table of since when each peer has been reachable.
struct Reach final : Transport {
  std::map<raft::NodeId, MonoTime> since;
  void start(TransportSink&) override {}
  void stop() override {}
  void send(std::vector<raft::Message>) override {}
  void send_snapshot(raft::Message, std::unique_ptr<SnapshotReader>) override {}
  void add_peer(raft::NodeId, const std::vector<std::string>&) override {}
  void remove_peer(raft::NodeId) override {}
  void update_peer(raft::NodeId, const std::vector<std::string>&) override {}
  MonoTime active_since(raft::NodeId id) const override {
    const auto it = since.find(id);
    return it == since.end() ? MonoTime{} : it->second;
  }
};

/// `S` a started voter, `u` one not started, `L` a learner; ids count from 1, which is this member.
std::vector<Member> members(std::string_view pattern) {
  std::vector<Member> out;
  for (const char c : pattern) {
    Member m{.id = raft::NodeId(out.size() + 1)};
    m.is_learner = c == 'L';
    if (c != 'u') m.name = "m";
    out.push_back(std::move(m));
  }
  return out;
}

/// Peers connected for `seconds` each: -1 not at all.
struct Check {
  Reach reach;
  Reconfiguration view;
  Check(std::string_view pattern, const std::vector<int>& seconds,
        CompatLevel level = CompatLevel::k36)
      : view(members(pattern), raft::NodeId(1), reach, MonoTime(std::chrono::hours(1)), level) {
    for (std::size_t i = 0; i < seconds.size(); ++i) {
      if (seconds[i] < 0) continue;
      reach.since[raft::NodeId(i + 2)] =
          MonoTime(std::chrono::hours(1)) - std::chrono::seconds(seconds[i]);
    }
  }
};

std::string text(const Result<>& result) { return result ? "" : result.error().message; }

const std::string kNotStarted = errors::member_not_enough_started().message;
const std::string kUnhealthy = errors::unhealthy().message;

}  // namespace

TEST_CASE("adding a member keeps a quorum of started voters") {
  CHECK(text(Check("S", {}).view.may_add(false)).empty());
  CHECK(text(Check("Su", {9}).view.may_add(false)) == kNotStarted);
  CHECK(text(Check("SS", {9}).view.may_add(false)).empty());
  CHECK(text(Check("SSu", {9, 9}).view.may_add(false)) == kNotStarted);
  CHECK(text(Check("SSu", {9, 9}).view.may_add(true)).empty());
}

TEST_CASE("adding a member wants the voters connected: all of them at 3.4, a quorum later") {
  CHECK(text(Check("SSS", {9, 9}, CompatLevel::k34).view.may_add(false)).empty());
  CHECK(text(Check("SSS", {9, 4}, CompatLevel::k34).view.may_add(false)) == kUnhealthy);
  CHECK(text(Check("SSS", {9, -1}, CompatLevel::k34).view.may_add(true)) == kUnhealthy);
  CHECK(text(Check("SSS", {9, 9}).view.may_add(false)).empty());
  CHECK(text(Check("SSS", {9, 4}).view.may_add(false)) == kUnhealthy);  // 3 of 4 are needed
  CHECK(text(Check("SSSS", {9, 9, -1}).view.may_add(false)).empty());   // 3 of 5
  CHECK(
      text(Check("SSSL", {9, 9, -1}).view.may_add(false)).empty());  // a learner counts for nothing
}

TEST_CASE("removing a member keeps a quorum that is started and connected") {
  CHECK(text(Check("S", {}).view.may_remove(raft::NodeId(1))) == kNotStarted);
  CHECK(text(Check("SSS", {9, 9}).view.may_remove(raft::NodeId(3))).empty());
  CHECK(text(Check("SSS", {9, -1}).view.may_remove(raft::NodeId(3))).empty());  // it is down anyway
  CHECK(text(Check("SSS", {9, -1}).view.may_remove(raft::NodeId(2))) == kUnhealthy);
  CHECK(text(Check("SSS", {9, 4}).view.may_remove(raft::NodeId(2))) == kUnhealthy);
  CHECK(text(Check("SSu", {9, 9}).view.may_remove(raft::NodeId(2))) == kNotStarted);
  CHECK(text(Check("SSu", {9, -1}).view.may_remove(raft::NodeId(3))).empty());
  CHECK(text(Check("SL", {-1}).view.may_remove(raft::NodeId(2))).empty());
  // Asked of a learner that knows nobody well yet.
  CHECK(text(Check("LSS", {1, 1}).view.may_remove(raft::NodeId(3))) == kUnhealthy);
  CHECK(text(Check("LSS", {9, 9}).view.may_remove(raft::NodeId(3))).empty());
}

TEST_CASE("a promotion counts the learner as a started voter") {
  CHECK(text(Check("SL", {9}).view.may_promote()).empty());
  CHECK(text(Check("SuL", {9, 9}).view.may_promote()).empty());
  CHECK(text(Check("SuuL", {9, 9, 9}).view.may_promote()) == kNotStarted);
}

TEST_CASE("changes of members are refused until the peers have been connected for 5 s") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  REQUIRE(!leader.empty());
  const auto early = cluster.add(leader, "d");
  REQUIRE(!early);
  CHECK(early.error().message == "etcdserver: unhealthy cluster");
  cluster.settle();
  const auto same = cluster.add(leader, "a");
  REQUIRE(!same);
  CHECK(same.error().message == "etcdserver: Peer URLs already exists");
  CHECK(cluster.add(leader, "d"));
  CHECK(cluster.add(leader, "e"));
  const auto again = cluster.add(leader, "f");
  REQUIRE(!again);
  CHECK(again.error().message ==
        "etcdserver: re-configuration failed due to not enough started members");
}

TEST_CASE("without strict checks a cluster may be talked into anything") {
  PeerCluster cluster(3, [](Config& c) { c.strict_reconfig_check = false; });
  const std::string leader = cluster.leader();
  REQUIRE(cluster.add(leader, "d"));
  CHECK(cluster.add(leader, "e"));
}

TEST_CASE("a learner joins, may not lead, is promoted through a follower, and then may") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  cluster.settle();
  for (int i = 0; i < 50; ++i) REQUIRE(*cluster[leader].put("k" + std::to_string(i), "v"));
  const auto added = cluster.add(leader, "d", true);
  REQUIRE_MESSAGE(added, added.error().message);
  const raft::NodeId id = std::get<MembersResult>(added->result).changed.id;
  const auto second = cluster.add(leader, "e", true);
  REQUIRE(!second);
  CHECK(second.error().message == "etcdserver: too many learner members in cluster");
  const auto early = cluster.promote(cluster.follower(), id);
  REQUIRE(!early);
  CHECK(early.error().message ==
        "etcdserver: can only promote a learner member which is in sync with leader");

  REQUIRE_MESSAGE(cluster.join("d"), cluster.error("d"));
  REQUIRE(cluster["d"].run_until_ready());
  REQUIRE(cluster.run_until([&] { return cluster.same_hash(); }));
  CHECK(cluster["d"]->status().is_learner);
  const auto moved =
      cluster.await<void>([&](auto done) { cluster[leader]->move_leader(id, std::move(done)); });
  REQUIRE(!moved);
  CHECK(moved.error().message == "etcdserver: bad leader transferee");

  const auto promoted = cluster.promote(cluster.follower(), id);
  REQUIRE_MESSAGE(promoted, promoted.error().message);
  CHECK(std::get<MembersResult>(promoted->result).members.size() == 4);
  CHECK(!std::get<MembersResult>(promoted->result).changed.is_learner);
  REQUIRE(cluster.run_until([&] { return !cluster["d"]->status().is_learner; }));
  CHECK(cluster.await<void>([&](auto done) { cluster[leader]->move_leader(id, std::move(done)); }));
  CHECK(cluster.leader() == "d");

  const auto twice = cluster.promote(cluster.follower(), id);
  REQUIRE(!twice);
  CHECK(twice.error().message == "etcdserver: can only promote a learner member");
  const auto unknown = cluster.promote(cluster.follower(), raft::NodeId(77));
  REQUIRE(!unknown);
  CHECK(unknown.error().message == "etcdserver: member not found");
}

TEST_CASE("a member removed under load stops by itself, the others go on without it") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  const std::string victim = cluster.follower();
  cluster.settle();
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    cluster[leader]->propose(Op::kPut, SimServer::put_body("k" + std::to_string(i), "v"),
                             [&](Result<ApplyResponse> r) { answered += r ? 1 : 0; });
  }
  bool gone = false;
  const raft::NodeId id = cluster.id(victim);
  cluster[victim]->on_removed([&] { gone = true; });
  const auto removed = cluster.remove(leader, id);
  REQUIRE_MESSAGE(removed, removed.error().message);
  CHECK(std::get<MembersResult>(removed->result).members.size() == 2);
  CHECK(cluster[leader]->is_removed(id));
  CHECK(!cluster.transport(leader).peers().contains(id));
  REQUIRE(cluster.run_until([&] { return gone; }, std::chrono::seconds(3)));
  cluster.stop(victim);
  CHECK(cluster.run_until([&] { return answered == 100; }));
  CHECK(*cluster[leader].put("after", "removal"));
  // Its id is banned for good, also for a member that starts on its old directory.
  REQUIRE(cluster.start(victim));
  gone = false;
  cluster[victim]->on_removed([&] { gone = true; });
  CHECK(cluster.run_until([&] { return gone; }, std::chrono::seconds(10)));
}

TEST_CASE("a member that was cut off while it was removed hears of it from its peers") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  const std::string victim = cluster.follower();
  cluster.settle();
  const raft::NodeId id = cluster.id(victim);
  cluster.kill(victim);
  cluster.world.run_for(std::chrono::seconds(1));
  REQUIRE(cluster.remove(leader, id));
  REQUIRE(cluster.start(victim));
  bool gone = false;
  cluster[victim]->on_removed([&] { gone = true; });
  CHECK(cluster.run_until([&] { return gone; }, std::chrono::seconds(10)));
}

TEST_CASE("a leader may remove itself: the others elect another") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  cluster.settle();
  bool gone = false;
  cluster[leader]->on_removed([&] { gone = true; });
  REQUIRE(cluster.remove(leader, cluster.id(leader)));
  REQUIRE(cluster.run_until([&] { return gone; }, std::chrono::seconds(3)));
  const MonoTime before = cluster.world.clock().now();
  cluster.stop(leader);
  CHECK(cluster.world.clock().now() - before < std::chrono::seconds(1));
  const std::string next = cluster.leader();
  REQUIRE(!next.empty());
  CHECK(next != leader);
  CHECK(*cluster[next].put("k", "v"));
}

TEST_CASE("a member's peer URLs are updated everywhere, transports too") {
  PeerCluster cluster;
  const std::string leader = cluster.leader();
  const std::string other = cluster.follower();
  const raft::NodeId id = cluster.id(other);
  cluster.wire.alias("http://new:1", PeerCluster::url(other));
  const auto updated = cluster.await<ApplyResponse>(
      [&](auto done) { cluster[other]->update_member(id, {"http://new:1"}, std::move(done)); });
  REQUIRE_MESSAGE(updated, updated.error().message);
  REQUIRE(cluster.run_until(
      [&] { return cluster.transport(leader).peers().at(id) == "http://new:1"; }));
  CHECK(*cluster[leader].put("k", "v"));
  const auto unknown = cluster.await<ApplyResponse>([&](auto done) {
    cluster[other]->update_member(raft::NodeId(5), {"http://x:1"}, std::move(done));
  });
  REQUIRE(!unknown);
  CHECK(unknown.error().message == "etcdserver: member not found");
}

TEST_CASE("a change of members waits for a leader as any request does") {
  PeerCluster cluster(3, [](Config& c) { c.strict_reconfig_check = false; });
  const std::string first = cluster.leader();
  const std::string other = cluster.follower();
  cluster.kill(first);
  cluster.run_until([&] { return cluster[other]->status().leader == raft::kNoNode; });
  CHECK(cluster.add(other, "d"));
}
